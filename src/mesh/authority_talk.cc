#include "mesh/authority_talk.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/limits.h"
#include "mesh/admission.h"
#include "mesh/outbox.h"
#include "trust/authority_record.h"

namespace ebb::mesh {
namespace {

constexpr Duration kClockTold = milliseconds(limits::kDayMs / 4);  // what was told counts a day

WallTime told_wall(const Context& ctx) {
  const bool is_time = ctx.wall.ms > 0 && ctx.wall.ms <= limits::kTrustTimeMax;
  return ctx.config.clock_suspect || !is_time ? WallTime{} : ctx.wall;
}

bool has_room(const Link& link, std::size_t bytes) {
  return link.queue.bytes(codec::Priority::kControl) + bytes <= limits::kAuthBytesQueued;
}

Position before(Seq from) {
  Position position{std::max<Seq>(from, 1) - 1, {}};
  position.chain.data.fill(UINT8_MAX);
  return position;
}

// Records of one message, as it fills.
class Page {
 public:
  // False: no room.
  bool add(ByteView record) {
    const bool is_full = bytes_ + record.size() > limits::kAuthRecordBytesPerMessage ||
                         message_.records.size() == limits::kAuthRecordsPerMessage;
    if (is_full) return false;
    bytes_ += record.size();
    message_.records.push_back(record);
    return true;
  }
  std::size_t room() const { return limits::kAuthRecordBytesPerMessage - bytes_; }
  codec::AuthRecords take() { return std::move(message_); }

 private:
  codec::AuthRecords message_;
  std::size_t bytes_ = 0;
};

// What waits of a log. False: it does not all go into this page.
bool add_log(const Context& ctx, LinkAdmission& admission, const DeviceId& log, Page& page) {
  const trust::Authority& authority = ctx.membership->authority();
  const auto from = admission.to_tell.find(log);
  if (from == admission.to_tell.end()) return true;
  for (const ByteView record :
       authority.records_after(log, from->second, page.room(), admission.telling)) {
    if (!page.add(record)) return false;
    from->second = trust::read_authority_record(ctx.config.mesh, record)->record.position();
  }
  if (!authority.records_after(log, from->second, 0, admission.telling).empty()) return false;
  admission.to_tell.erase(from);
  return true;
}

// The next of the news that the link is to be told by itself; null: none. The place moves there.
const AuthorityNews::Item* next_news(const Context& ctx, const Link& link,
                                     LinkAdmission& admission) {
  if (!admission.news_from || admission.telling == trust::Telling::kNothing) return nullptr;
  const Membership& membership = *ctx.membership;
  while (const AuthorityNews::Item* item = membership.news().at(*admission.news_from)) {
    admission.news_from = item->place;
    const auto log = admission.to_tell.find(item->authority);
    // It goes with the rest of its log.
    const bool is_ahead = log != admission.to_tell.end() && log->second < item->position;
    const bool is_told =
        item->bringer != link.id && !is_ahead &&
        !membership.authority().told(item->authority, item->position, admission.telling).empty();
    if (is_told) return item;
    ++*admission.news_from;
  }
  admission.news_from = membership.news().end();
  return nullptr;
}

bool add_news(const Context& ctx, const Link& link, LinkAdmission& admission, Page& page) {
  const trust::Authority& authority = ctx.membership->authority();
  while (const AuthorityNews::Item* item = next_news(ctx, link, admission)) {
    if (!page.add(authority.told(item->authority, item->position, admission.telling))) return false;
    ++*admission.news_from;
  }
  return true;
}

// Of what waits to be told on the link as much as goes into one message. The root's log first: it
// says who the others are. Then news, before logs of which a part waits move on over them.
codec::AuthRecords next_page(const Context& ctx, const Link& link, LinkAdmission& admission) {
  const std::vector<DeviceId> logs = ctx.membership->authority().authorities();
  Page page;
  bool has_room = add_log(ctx, admission, logs.front(), page);
  has_room = has_room && add_news(ctx, link, admission, page);
  for (std::size_t i = 1; has_room && i < logs.size(); ++i)
    has_room = add_log(ctx, admission, logs[i], page);
  if (has_room) admission.to_tell.clear();
  codec::AuthRecords message = page.take();
  message.more = !admission.to_tell.empty() || next_news(ctx, link, admission) != nullptr;
  return message;
}

std::size_t bytes_of(const std::vector<ByteView>& records) {
  std::size_t bytes = 0;
  for (const ByteView record : records)
    bytes += record.size();
  return bytes;
}

void note_compared(Context& ctx, const Link& link, std::size_t bytes) {
  Instant& until = ctx.membership->compared[*link.peer];
  const Duration rest =
      milliseconds(static_cast<std::int64_t>(bytes * 1000 / limits::kAuthComparedPerSecond));
  until =
      std::min(std::max(until, ctx.now) + rest, ctx.now + milliseconds(limits::kAuthCompareMaxMs));
}

// From which seq on the peer lacks something of the log, by the head that it has told.
Seq lacks_from(const trust::Authority& authority, const DeviceId& log,
               const std::map<DeviceId, Position>& heads) {
  const auto head = heads.find(log);
  if (head == heads.end()) return 1;
  const Position end = authority.end(log);
  if (head->second.seq > end.seq) return end.seq + 1;
  return authority.counts(log, head->second) ? head->second.seq + 1 : 1;
}

codec::AuthorityDigest short_digest(const Hash& whole) {
  codec::AuthorityDigest digest;
  std::memcpy(digest.data.data(), whole.data.data(), codec::AuthorityDigest::kSize);
  return digest;
}

}  // namespace

void tell_lacking(Context& ctx, Link& link, trust::Telling telling) {
  const trust::Authority& authority = ctx.membership->authority();
  LinkAdmission& admission = link.admission;
  for (const DeviceId& log : authority.authorities()) {
    // A log that has ended is not among heads; the digest tells whether the peer lacks it.
    if (authority.is_ended(log)) continue;
    admission.to_tell[log] = before(lacks_from(authority, log, admission.heads));
  }
  // All that is held now is behind the peer's heads, or in what differs by the digests.
  if (!admission.news_from) admission.news_from = ctx.membership->news().end();
  admission.end_due = true;
  admission.told = true;
  admission.telling = telling;
  go_on_telling(ctx, link);
}

void let_in(Context& ctx, Link& link) {
  LinkAdmission& admission = link.admission;
  if (std::exchange(admission.lets_in, true)) return;
  for (const DeviceId& log : ctx.membership->authority().authorities())
    admission.to_tell[log] = before(0);
  admission.end_due = true;
  admission.telling = trust::Telling::kAll;
  go_on_telling(ctx, link);
}

void tell_clock(Context& ctx, Link& link) {
  LinkAdmission& admission = link.admission;
  const bool is_told = admission.told && !admission.end_due && admission.hello_sent;
  if (!is_told || ctx.now - admission.clock_told < kClockTold) return;
  admission.end_due = true;
  go_on_telling(ctx, link);
}

void go_on_telling(Context& ctx, Link& link) {
  LinkAdmission& admission = link.admission;
  while (admission.end_due && has_room(link, limits::kAuthRecordBytesPerMessage)) {
    codec::AuthRecords page = next_page(ctx, link, admission);
    if (admission.compares) note_compared(ctx, link, bytes_of(page.records));
    if (!page.more) {
      page.digest = ctx.membership->digest();
      page.wall = told_wall(ctx);
      admission.clock_told = ctx.now;
      admission.end_due = admission.compares = false;
    }
    if (!page.records.empty()) give_time(ctx, link);
    send(ctx, link, page);
  }
  if (!admission.lets_in || admission.end_due || link.closed) return;
  if (!std::exchange(admission.mesh_told, true)) {
    const MembershipConfig& config = ctx.membership->config();
    send_secret(ctx, link, {config.genesis, config.secret.copy()});
  }
  // A driver that closes gives what waits a moment, and a slow line needs longer for the last of
  // it.
  if (link.queue.empty() && !link.report_due) close_link(ctx, link, "joined");
}

void give_time(Context& ctx, Link& link) {
  if (link.settled) return;
  // Who joins may take as slowly as on any other link.
  const Duration rest =
      link.admission.lets_in ? milliseconds(limits::kSlowestLinkMs) : ctx.config.handshake_timeout;
  link.greeting_deadline = std::max(link.greeting_deadline, ctx.now + rest);
  touch(ctx, link);
}

void tell_news(Context& ctx) {
  Membership& membership = *ctx.membership;
  if (membership.news_seen == membership.news().end()) return;
  membership.news_seen = membership.news().end();
  std::uint64_t all_told = membership.news().end();
  for (Link& link : ctx.links) {
    LinkAdmission& admission = link.admission;
    if (link.closed || !admission.news_from) continue;
    if (next_news(ctx, link, admission) != nullptr) {
      admission.end_due = true;
      go_on_telling(ctx, link);
      touch(ctx, link);
    }
    all_told = std::min(all_told, *admission.news_from);
  }
  membership.forget_news(all_told);
}

void note_digest(Context& ctx, Link& link, const codec::AuthorityDigest& digest) {
  LinkAdmission& admission = link.admission;
  admission.digest = digest;
  touch(ctx, link);
  if (digest == ctx.membership->digest()) {
    admission.compare_at.reset();
    admission.compare_after = milliseconds(limits::kAuthCompareMs);
  } else if (!admission.compare_at) {
    admission.compare_at = ctx.now + admission.compare_after;
  }
}

void run_compare(Context& ctx, Link& link) {
  LinkAdmission& admission = link.admission;
  if (!admission.compare_at || *admission.compare_at > ctx.now || ctx.membership == nullptr) return;
  admission.compare_at.reset();
  if (admission.digest == ctx.membership->digest()) return;
  const Duration longest = milliseconds(limits::kAuthCompareMaxMs);
  admission.compare_after = std::min(admission.compare_after * 2, longest);
  const trust::Authority& authority = ctx.membership->authority();
  codec::AuthCompare compare;
  compare.digest = ctx.membership->digest();
  for (const DeviceId& log : authority.authorities()) {
    if (compare.logs.size() == limits::kAuthLogsCompared) break;
    compare.logs.push_back({log, short_digest(authority.digest_of(log))});
  }
  ++ctx.counters.authority_compares;
  send(ctx, link, compare);
}

void on_auth(Context& ctx, Link& link, const codec::AuthCompare& compare) {
  if (ctx.membership == nullptr || link.admission.joins || !link.admission.told) return;
  LinkAdmission& admission = link.admission;
  auto& compared = ctx.membership->compared;
  std::erase_if(compared, [&](const auto& each) { return each.second <= ctx.now; });
  const bool rests =
      admission.end_due || compared.contains(*link.peer) || compared.size() >= limits::kStoredPeers;
  if (rests) return note_digest(ctx, link, compare.digest);
  compared[*link.peer] = ctx.now + milliseconds(limits::kAuthCompareMs) / 2;
  std::map<DeviceId, codec::AuthorityDigest> theirs;
  for (const codec::AuthorityLogDigest& log : compare.logs)
    theirs[log.authority] = log.digest;
  const trust::Authority& authority = ctx.membership->authority();
  for (const DeviceId& log : authority.authorities()) {
    const auto same = theirs.find(log);
    if (same != theirs.end() && same->second == short_digest(authority.digest_of(log))) continue;
    admission.to_tell[log] = before(0);
  }
  admission.end_due = admission.compares = true;
  go_on_telling(ctx, link);
  note_digest(ctx, link, compare.digest);
}

void note_clock(Context& ctx, const DeviceId& device, WallTime wall) {
  auto& clocks = ctx.membership->told_clocks;
  if (wall.ms <= 0) {  // it doubts what it said before
    clocks.erase(device);
    return;
  }
  if (!clocks.contains(device) && clocks.size() >= limits::kClockSamples) {
    clocks.erase(std::min_element(clocks.begin(), clocks.end(), [](const auto& a, const auto& b) {
      return a.second.heard < b.second.heard;
    }));
  }
  clocks[device] = {wall, ctx.now};
}

std::vector<HeardClock> heard_clocks(Context& ctx) {
  std::vector<HeardClock> clocks;
  Membership& membership = *ctx.membership;
  const Duration day = milliseconds(limits::kDayMs);
  std::erase_if(membership.told_clocks,
                [&](const auto& each) { return ctx.now - each.second.heard > day; });
  for (const auto& [device, told] : membership.told_clocks) {
    const bool lasts = membership.authority().verdict(device, membership.floor()).is_full();
    if (lasts) clocks.push_back({device, {told.wall.ms + (ctx.now - told.heard).ms()}});
  }
  return clocks;
}

}  // namespace ebb::mesh
