#include "mesh/settle.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "codec/segment.h"
#include "mesh/admission.h"
#include "mesh/datagrams.h"
#include "mesh/epoch.h"
#include "mesh/gossip_root.h"
#include "mesh/live.h"
#include "mesh/own_heads.h"
#include "mesh/own_view.h"
#include "mesh/scope.h"
#include "mesh/sync_answer.h"
#include "mesh/want.h"
#include "trust/chain.h"
#include "trust/segment_verify.h"

namespace ebb::mesh {
namespace {

// List headers of a datagram, and a key with the longest topic.
constexpr std::size_t kAroundSegments = 8;
constexpr std::size_t kKeyBytes = 32 + 9 + limits::kTopicBytes + 8;
constexpr std::size_t kSegmentRoom = codec::kDatagramBodyBytes - kAroundSegments - kKeyBytes;
constexpr std::size_t kBinHeader = 3;
constexpr std::size_t kHeadsPerExchange = limits::kDatagramsPerExchange * limits::kHeadsPerDatagram;
// At as many places in the order of arrival, of which a partner with a partial scope may not have
// any.
constexpr std::size_t kLooksPerRound = 16;
constexpr std::size_t kHeadsPerRound = kHeadsPerExchange / 2;  // which leaves the rest to segments

bool may_tell(const Context& ctx, const Partner& partner, const LogEntry& entry) {
  if (!in_both_scopes_with(ctx, partner.device, entry.key)) return false;
  if (!may_bring(ctx, ctx.config.self, partner.device, entry.key)) return false;
  if (!may_get(ctx, partner.device, entry.key)) return false;
  if (!is_own(ctx, entry)) return true;
  return partner.own_settled && !(ctx.own_blocked && is_current_own(ctx, entry));
}

// The heads behind the partner's cursor, or all where that says nothing, the newest first. Of more
// than a round lists, those before them are for the next one.
std::vector<codec::ListedHead> heads_for(const Context& ctx, Partner& partner) {
  // Of a store that was set back the cursor may name arrivals that are other events now.
  const bool current = partner.cursor.epoch == ctx.config.epoch && partner.cursor.arrival > 0 &&
                       partner.cursor.arrival <= ctx.arrival_head && epoch_counts(ctx);
  const Arrival after = current ? partner.cursor.arrival : 0;
  Arrival last = std::exchange(partner.heads_last, std::nullopt).value_or(ctx.arrival_head);
  std::vector<codec::ListedHead> heads;
  for (std::size_t looks = 0; looks < kLooksPerRound; ++looks) {
    const auto newest = ctx.heads.by_arrival().newest(after, last, kHeadsPerRound);
    for (const ArrivalOrder::Place& place : newest) {
      const LogEntry* entry = ctx.heads.find(place.second);
      const bool told = entry != nullptr && entry->held.seq > 0 && may_tell(ctx, partner, *entry);
      if (told) heads.push_back(listed_head(*entry));
      last = place.first - 1;
      if (heads.size() == kHeadsPerRound) break;
    }
    if (heads.size() < kHeadsPerRound && newest.size() < kHeadsPerRound) return heads;
    if (heads.size() == kHeadsPerRound) break;
  }
  partner.heads_last = last;
  return heads;
}

bool is_lacking(const Context& ctx, const LogEntry* entry, Seq seq) {
  if (entry == nullptr) return true;
  if (is_out_of_scope(ctx, *entry)) return false;
  return seq > entry->pending.seq && !entry->capped && !is_current_own(ctx, *entry);
}

// Another history of a log, or more of our own than we have: datagrams never make up for that.
bool is_settled_by_links(const Context& ctx, const LogEntry* entry, const codec::ListedHead& head) {
  if (entry == nullptr) return false;
  if (head.seq == entry->held.seq) return head.chain != chain_prefix(entry->held.chain);
  return head.seq > entry->held.seq && is_current_own(ctx, *entry);
}

const LogKey* key_of(const LogEntry* entry, const std::vector<LogKey>& keys, const LogId& log) {
  if (entry != nullptr && entry->has_key) return &entry->key;
  for (const LogKey& key : keys) {
    if (trust::log_id(key) == log) return &key;
  }
  return nullptr;
}

// What became of a segment: the text is an outcome in the counters.
struct Judged {
  LogEntry* entry = nullptr;  // only where it was taken
  std::string_view outcome;
};

// Whether it comes next, before the work of verifying it.
std::string_view judge_header(Context& ctx, const codec::SegmentView& header, const LogEntry* entry,
                              const LogKey* key, std::size_t bytes) {
  if (key == nullptr) return "unknown_log";
  if (!is_in_scope(ctx, *key)) return "out_of_scope";
  // A link finds out whether the store was set back; until then nothing of it is fetched past that.
  const bool own = key->device == ctx.config.self;
  const bool written = key->incarnation == ctx.config.incarnation;
  if (own && (written || is_unknown_incarnation(ctx, key->incarnation))) return "own";
  const Seq held = entry == nullptr ? 0 : entry->pending.seq;
  if (header.last_seq() <= held || (entry != nullptr && entry->capped)) return "useless";
  if (header.first_seq != held + 1) return "gap";
  const bool room =
      !ctx.commits_paused_until &&
      ctx.inbound_bytes + ctx.begun_bytes + bytes <= ctx.config.tuning.inbound_bytes &&
      ctx.decoded_bytes + limits::kSegmentDecodedBytes <= ctx.config.tuning.decoded_bytes;
  return room ? std::string_view{} : "no_room";
}

// Taken only when it comes next in its log and is what it says; what does not is nobody's fault
// here, since nothing vouches for the sender of a datagram.
Judged accept(Context& ctx, const Partner& partner, const std::vector<LogKey>& keys, ByteView bytes,
              trust::VerifiedSegment& out) {
  const Result<codec::SegmentView> header = codec::decode_segment(bytes);
  if (!header.ok() || header->first_seq == 0 || header->last_seq() < header->first_seq) {
    return {nullptr, "malformed"};
  }
  if (!partner.wanted.contains(header->log)) return {nullptr, "unasked"};
  LogEntry* entry = ctx.heads.find(header->log);
  const LogKey* key = key_of(entry, keys, header->log);
  const bool admitted = key == nullptr || (may_bring(ctx, partner.device, ctx.config.self, *key) &&
                                           may_be_stored(ctx, *key, header->log));
  if (!admitted) return {nullptr, "not_admitted"};
  const std::string_view outcome = judge_header(ctx, *header, entry, key, bytes.size());
  if (!outcome.empty()) return {nullptr, outcome};
  if (!may_verify(ctx, partner)) return {nullptr, "too_many"};
  const bool starts = entry == nullptr || entry->pending.seq == 0;
  const Hash chain = starts ? trust::chain_start(*key) : entry->pending.chain;
  Result<trust::VerifiedSegment> verified =
      trust::verify_segment(*key, share(to_bytes(bytes)), signatures(ctx));
  if (!verified.ok()) return {nullptr, "forged"};
  // Evidence, but a link has to bring it: who replays this could say it again and again.
  if (verified->prev_chain != chain) return {nullptr, "fork"};
  out = std::move(*verified);
  if (entry == nullptr) entry = ctx.heads.find_or_add(out.log);
  return {entry, entry == nullptr ? "no_room" : "taken"};
}

// In hand until its commit is answered, and passed on at once, as if a link had pushed it.
void keep(Context& ctx, LogEntry& entry, const trust::VerifiedSegment& segment,
          PendingCommit& pending) {
  entry.pending = {segment.last_seq(), segment.chain};
  ++entry.commits;
  pending.parts.push_back(
      {segment.log, segment.last_seq(), segment.encoded->size(), segment.raw->size()});
  ctx.inbound_bytes += segment.encoded->size();
  ctx.decoded_bytes += segment.raw->size();
  push_segment(ctx, entry, segment, kNoSlot, false);
  note_progress(ctx, entry);
}

}  // namespace

void send_heads(Context& ctx, Partner& partner) {
  if (partner.heads_sent) return;
  partner.heads_wait = partner.own_checks > 0;
  if (partner.heads_wait) return;
  partner.heads_sent = true;
  const std::vector<codec::ListedHead> heads = heads_for(ctx, partner);
  codec::HeadsDatagram message;
  for (const codec::ListedHead& head : heads) {
    message.heads.push_back(head);
    if (message.heads.size() < limits::kHeadsPerDatagram) continue;
    if (spend(partner)) send_datagram(ctx, partner, std::exchange(message, {}));
  }
  // An empty list says: it is you who has more.
  if ((!message.heads.empty() || heads.empty()) && spend(partner)) {
    send_datagram(ctx, partner, std::move(message));
  }
}

bool send_wants(Context& ctx, Partner& partner) {
  codec::WantDatagram message;
  bool any = false;
  partner.segments_left = 2 * limits::kDatagramsPerExchange;  // some come twice
  partner.wanted.clear();
  const auto flush = [&] {
    if (message.logs.empty() || !spend(partner)) return;
    for (const codec::LogSeq& wanted : message.logs)
      partner.wanted.insert(wanted.log);
    send_datagram(ctx, partner, std::exchange(message, {}));
  };
  for (const auto& [log, seq] : std::exchange(partner.lacking, {})) {
    const LogEntry* entry = ctx.heads.find(log);
    const bool on_its_way = entry != nullptr && entry->asked != kNoSlot;
    if (on_its_way || !is_lacking(ctx, entry, seq)) continue;
    any = true;
    message.logs.push_back({log, entry == nullptr ? 1 : entry->pending.seq + 1});
    if (message.logs.size() == limits::kHeadsPerDatagram) flush();
    if (message.logs.size() == limits::kHeadsPerDatagram) break;
  }
  flush();
  return any;
}

void on_heads(Context& ctx, Partner& partner, const codec::HeadsDatagram& heads) {
  for (const codec::ListedHead& head : heads.heads) {
    if (partner.lacking.size() >= kHeadsPerExchange) break;
    const LogEntry* entry = ctx.heads.find(head.log);
    if (is_settled_by_links(ctx, entry, head)) partner.disputed = true;
    if (head.seq == 0 || !is_lacking(ctx, entry, head.seq)) continue;
    partner.lacking[head.log] = std::min(head.seq, limits::kSeqMax);
  }
  if (!partner.lacking.empty() && !partner.want_at) {
    // A node that has links hears of young events by them.
    const bool lonely = greeted_links(ctx) < 2;
    partner.want_at = ctx.now + (lonely ? Duration{} : patience(partner));
  }
  send_heads(ctx, partner);
}

void on_want(Context& ctx, Partner& partner, const codec::WantDatagram& want) {
  for (const codec::LogSeq& wanted : want.logs) {
    const LogEntry* entry = ctx.heads.find(wanted.log);
    const bool has = entry != nullptr && wanted.seq > 0 && wanted.seq <= entry->held.seq;
    if (!has || !may_tell(ctx, partner, *entry)) continue;
    partner.old = true;
    if (partner.budget == 0 || partner.reads_left == 0) return drop_datagram(ctx, "over_budget");
    if (!may_read(ctx, partner)) return drop_datagram(ctx, "too_many");
    --partner.reads_left;
    const Token token = new_token(ctx);
    ctx.datagram_reads[token] = {partner.device, wanted.log, {}, 0};
    ctx.out->reads.push_back(
        {token, wanted.log, wanted.seq, entry->held.seq, kSegmentRoom * partner.budget});
  }
}

bool datagram_read_done(Context& ctx, const ReadDone& done) {
  const auto it = ctx.datagram_reads.find(done.token);
  if (it == ctx.datagram_reads.end()) return false;
  const DatagramRead read = it->second;
  ctx.datagram_reads.erase(it);
  Partner* partner = find_partner(ctx, read.partner);
  const LogEntry* entry = ctx.heads.find(read.log);
  if (partner == nullptr || entry == nullptr) return true;
  if (read.own_shown) {
    if (!own_view_read(ctx, *partner, *entry, read, done)) return true;
    if (partner->heads_wait) send_heads(ctx, *partner);
    return true;
  }
  if (done.failed) return true;
  codec::SegmentsDatagram message;
  std::size_t bytes = 0;
  std::uint64_t events = 0;
  // False: nothing more may be sent.
  const auto flush = [&] {
    if (message.segments.empty()) return true;
    if (!spend(*partner)) return false;
    message.keys = {entry->key};
    send_datagram(ctx, *partner, std::exchange(message, {}));
    ctx.counters.events_sent += std::exchange(events, 0);
    bytes = 0;
    return true;
  };
  for (const SharedBytes& segment : done.segments) {
    const std::size_t size = segment->size() + kBinHeader;
    if (size > kSegmentRoom) break;  // the link that follows brings it, and all behind it
    if (bytes + size > kSegmentRoom && !flush()) return true;
    message.segments.emplace_back(*segment);
    bytes += size;
    const Result<codec::SegmentView> view = codec::decode_segment(*segment);
    if (view.ok()) events += view->count;
  }
  static_cast<void>(flush());
  return true;
}

void on_segments(Context& ctx, Partner& partner, const codec::SegmentsDatagram& segments) {
  if (partner.segments_left == 0) return drop_datagram(ctx, "unasked");
  --partner.segments_left;
  Commit commit;
  PendingCommit pending;
  for (const ByteView bytes : segments.segments) {
    trust::VerifiedSegment segment;
    const Judged judged = accept(ctx, partner, segments.keys, bytes, segment);
    ++ctx.counters.datagram_segments[judged.outcome];
    if (judged.outcome == "own") partner.disputed = true;
    if (judged.entry == nullptr) continue;
    keep(ctx, *judged.entry, segment, pending);
    commit.segments.push_back(std::move(segment));
  }
  if (commit.segments.empty()) return;
  commit.token = new_token(ctx);
  ctx.commits[commit.token] = std::move(pending);
  ctx.out->commits.push_back(std::move(commit));
}

}  // namespace ebb::mesh
