#include "sim/memory_clock.h"

#include <algorithm>

#include "core/limits.h"

namespace ebb::sim {
namespace {

// The first event behind `bound`, one by one.
std::optional<Seq> first_later(const MemoryLog& log, Hlc bound) {
  for (const auto& [first, segment] : log.segments) {
    for (std::uint32_t i = 0; i < segment.count; ++i) {
      const auto event = codec::decode_event(segment.event_bytes(i));
      if (event && event->hlc > bound) return first + i;
    }
  }
  return std::nullopt;
}

}  // namespace

bool MemoryClock::is_own(const MemoryLog& log) const {
  return log.head.key.device == device_ && log.head.key.incarnation == disk_.incarnation &&
         log.head.held.seq > 0;
}

void MemoryClock::open(WallTime built, const ClockReading& now) {
  judge = ClockJudge({built, disk_.last_commit, now.monotonic});
  hlc = clock_at(judge.judge(now).time, true);
}

HlcClock MemoryClock::clock_at(WallTime now, bool with_own) const {
  Hlc last;
  for (const MemoryLog& log : disk_.logs) {
    if (with_own && is_own(log)) last = std::max(last, log.head.hlc);
  }
  HlcClock out(last);
  for (const MemoryLog& log : disk_.logs) {
    if (log.head.key.device != device_) out.observe(log.head.hlc, now);
  }
  return out;
}

MemoryClock::Beginning MemoryClock::begin(const ClockReading& now,
                                          std::optional<codec::OpeningReason> reason) const {
  Beginning out{judge.judge(now), hlc, std::nullopt, {}, false};
  std::vector<codec::ClockFix>& wrong = out.fixes;
  if (out.verdict.repair_ms) {
    wrong = fixes(out.verdict.time, *out.verdict.repair_ms);
    if (wrong.empty()) out.verdict.repair_ms.reset();
    out.hlc = clock_at(out.verdict.time, wrong.empty() && !reason);
  }
  if (!wrong.empty() && !reason) reason = codec::OpeningReason::kClock;
  if (!reason) return out;
  codec::Opening opening;
  opening.reason = *reason;
  out.older = store::store_is_older(*reason);
  if (*reason != codec::OpeningReason::kNew) {
    opening.before = disk_.incarnation;
    for (const MemoryLog& log : disk_.logs) {
      if (is_own(log)) opening.closes.push_back({log.head.key.topic, log.head.held});
    }
    std::sort(opening.closes.begin(), opening.closes.end(),
              [](const auto& a, const auto& b) { return a.topic < b.topic; });
  }
  out.records = store::record_batch(opening, wrong);
  return out;
}

std::vector<codec::ClockFix> MemoryClock::fixes(WallTime right, std::int64_t offset_ms) const {
  std::map<LogId, store::Line::Range> wrong = line_.ranges();
  const Hlc bound = Hlc::at({right.ms + limits::kClockPeersMs + limits::kRemoteAheadMs}, 0xffff);
  for (const MemoryLog& log : disk_.logs) {
    if (offset_ms >= 0 || !is_own(log)) continue;
    const std::optional<Seq> first = first_later(log, bound);
    if (!first) continue;
    store::Line::Range& range =
        wrong.try_emplace(log.head.log, store::Line::Range{*first, 0}).first->second;
    range = {std::min(range.first, *first), log.head.held.seq};
  }
  std::vector<codec::ClockFix> out;
  for (const auto& [log, range] : wrong) {
    if (out.empty() || out.back().ranges.size() == limits::kRecordLogs) {
      out.emplace_back().offset_ms = offset_ms;
    }
    out.back().ranges.push_back({log, range.first, range.last});
  }
  if (out.empty()) return out;
  for (codec::ClockFix& fix : line_.corrected_again(offset_ms))
    out.push_back(std::move(fix));
  return out;
}

void MemoryClock::follow(const ClockReading& now, const Beginning& beginning, bool moved,
                         const std::vector<trust::VerifiedSegment>& own) {
  const ClockVerdict& verdict = beginning.verdict;
  judge.follow(now, verdict);
  if (moved) disk_.last_commit = verdict.time;
  if (verdict.new_line) line_.begin(beginning.fixes);
  for (const trust::VerifiedSegment& segment : own)
    line_.stamped(segment.log, segment.first_seq, segment.last_seq());
}

}  // namespace ebb::sim
