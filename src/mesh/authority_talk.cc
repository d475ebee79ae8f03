#include "mesh/authority_talk.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/limits.h"
#include "core/secret.h"
#include "mesh/admission.h"
#include "trust/authority_record.h"

namespace ebb::mesh {
namespace {

WallTime told_wall(const Context& ctx) {
  return ctx.config.clock_suspect || ctx.wall.ms < 0 ? WallTime{} : ctx.wall;
}

bool has_room(const Link& link, std::size_t bytes) {
  return link.queue.bytes(codec::Priority::kControl) + bytes <= limits::kAuthBytesQueued;
}

Position before(Seq from) {
  Position position{std::max<Seq>(from, 1) - 1, {}};
  position.chain.data.fill(UINT8_MAX);
  return position;
}

// Of what waits to be told on the link as much as goes into one message.
codec::AuthRecords next_page(const Context& ctx, LinkAdmission& admission) {
  const trust::Authority& authority = ctx.membership->authority();
  codec::AuthRecords page;
  std::size_t bytes = 0;
  // The root's first: it says who the others are.
  for (const DeviceId& log : authority.authorities()) {
    const auto from = admission.to_tell.find(log);
    if (from == admission.to_tell.end()) continue;
    const std::vector<ByteView> records = authority.records_after(
        log, from->second, limits::kAuthRecordBytesPerMessage - bytes, admission.telling);
    for (const ByteView record : records) {
      const bool is_full = bytes + record.size() > limits::kAuthRecordBytesPerMessage ||
                           page.records.size() == limits::kAuthRecordsPerMessage;
      if (is_full) return page;
      bytes += record.size();
      page.records.push_back(record);
      from->second = trust::read_authority_record(ctx.config.mesh, record)->record.position();
    }
    const bool is_done = authority.records_after(log, from->second, 0, admission.telling).empty();
    if (!is_done) return page;
    admission.to_tell.erase(from);
  }
  admission.to_tell.clear();
  return page;
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

bool is_told(const trust::Authority& authority, const Membership::News& news,
             trust::Telling telling) {
  if (telling == trust::Telling::kAll) return true;
  const std::vector<ByteView> told =
      authority.records(news.authority, news.seq, news.record.size(), telling);
  return std::any_of(told.begin(), told.end(),
                     [&](ByteView record) { return equal(record, news.record); });
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

void go_on_telling(Context& ctx, Link& link) {
  LinkAdmission& admission = link.admission;
  while (admission.end_due && has_room(link, limits::kAuthRecordBytesPerMessage)) {
    codec::AuthRecords page = next_page(ctx, admission);
    page.more = !admission.to_tell.empty();
    if (admission.compares) note_compared(ctx, link, bytes_of(page.records));
    if (!page.more) {
      page.digest = ctx.membership->digest();
      page.wall = told_wall(ctx);
      admission.end_due = admission.compares = false;
    }
    if (!page.records.empty()) give_time(ctx, link);
    send(ctx, link, page);
  }
  if (!admission.lets_in || admission.end_due || link.closed) return;
  if (!std::exchange(admission.mesh_told, true)) {
    const MembershipConfig& config = ctx.membership->config();
    codec::AuthMesh mesh{config.genesis, config.secret};
    send(ctx, link, mesh);
    erase_bytes(mesh.secret);
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
  const std::vector<Membership::News> all = ctx.membership->take_news();
  if (all.empty()) return;
  const trust::Authority& authority = ctx.membership->authority();
  for (Link& link : ctx.links) {
    LinkAdmission& admission = link.admission;
    if (link.closed || !admission.told || admission.joins) continue;
    if (admission.telling == trust::Telling::kNothing) continue;
    bool is_news = false;
    for (const Membership::News& news : all) {
      if (news.bringer == link.id || !is_told(authority, news, admission.telling)) continue;
      is_news = true;
      // What is behind the end (another branch) shows in the digest where it does not go now.
      const auto [at, is_new] = admission.to_tell.try_emplace(news.authority, before(news.seq));
      if (is_new || at->second.seq < news.seq || admission.end_due) continue;
      at->second = before(news.seq);
    }
    if (!is_news) continue;
    admission.end_due = true;
    go_on_telling(ctx, link);
    touch(ctx, link);
  }
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
