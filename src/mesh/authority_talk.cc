#include "mesh/authority_talk.h"

#include <algorithm>
#include <cstring>

#include "core/limits.h"
#include "mesh/admission.h"

namespace ebb::mesh {
namespace {

WallTime told_wall(const Context& ctx) {
  const bool is_time = ctx.wall.ms > 0 && ctx.wall.ms <= limits::kTrustTimeMax;
  return ctx.config.clock_suspect || !is_time ? WallTime{} : ctx.wall;
}

// Records for one link, in messages of a bounded size.
class Batch {
 public:
  Batch(Context& ctx, Link& link) : ctx_(ctx), link_(link) {}
  void add(ByteView record) {
    const bool full = bytes_ + record.size() > limits::kAuthRecordBytesPerMessage ||
                      message_.records.size() == limits::kAuthRecordsPerMessage;
    if (full && !message_.records.empty()) {
      message_.more = true;
      flush();
    }
    bytes_ += record.size();
    message_.records.push_back(record);
  }
  void add(const std::vector<ByteView>& records) {
    for (const ByteView record : records)
      add(record);
  }
  void end() {
    message_.more = false;
    message_.digest = ctx_.membership->digest();
    message_.wall = told_wall(ctx_);
    flush();
  }
  bool empty() const { return message_.records.empty(); }

 private:
  void flush() {
    send(ctx_, link_, message_);
    message_ = {};
    bytes_ = 0;
  }
  Context& ctx_;
  Link& link_;
  codec::AuthRecords message_;
  std::size_t bytes_ = 0;
};

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
  Batch batch(ctx, link);
  for (const DeviceId& log : authority.authorities()) {
    // A log that has ended is not among heads; the digest tells whether the peer lacks it.
    if (authority.is_ended(log)) continue;
    const Seq from = lacks_from(authority, log, link.admission.heads);
    batch.add(authority.records(log, from, SIZE_MAX, telling));
  }
  batch.end();
  link.admission.told = true;
  link.admission.telling = telling;
}

void tell_everything(Context& ctx, Link& link) {
  const trust::Authority& authority = ctx.membership->authority();
  Batch batch(ctx, link);
  for (const DeviceId& log : authority.authorities())
    batch.add(authority.records(log, 0, SIZE_MAX, trust::Telling::kAll));
  batch.end();
}

void tell_news(Context& ctx) {
  const std::vector<Membership::News> all = ctx.membership->take_news();
  if (all.empty()) return;
  const trust::Authority& authority = ctx.membership->authority();
  for (Link& link : ctx.links) {
    const LinkAdmission& admission = link.admission;
    if (link.closed || !admission.told || admission.joins) continue;
    if (admission.telling == trust::Telling::kNothing) continue;
    Batch batch(ctx, link);
    for (const Membership::News& news : all) {
      if (news.bringer != link.id && is_told(authority, news, admission.telling)) {
        batch.add(news.record);
      }
    }
    if (batch.empty()) continue;
    batch.end();
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
  const Duration rest = milliseconds(limits::kAuthCompareMs) / 2;
  if (admission.compared && ctx.now - *admission.compared < rest) return;
  admission.compared = ctx.now;
  std::map<DeviceId, codec::AuthorityDigest> theirs;
  for (const codec::AuthorityLogDigest& log : compare.logs)
    theirs[log.authority] = log.digest;
  const trust::Authority& authority = ctx.membership->authority();
  Batch batch(ctx, link);
  for (const DeviceId& log : authority.authorities()) {
    const auto same = theirs.find(log);
    if (same != theirs.end() && same->second == short_digest(authority.digest_of(log))) continue;
    batch.add(authority.records(log, 0, SIZE_MAX, admission.telling));
  }
  batch.end();
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
