// MemoryClock: what a store in memory stamps with, and the records with which its incarnations
// begin: as store/store.h says, found by looking at every event.
//
// Threads: not thread-safe; owned by its store.
#pragma once

#include <optional>

#include "codec/record.h"
#include "core/clock_judge.h"
#include "sim/memory_disk.h"
#include "store/incarnation.h"

namespace ebb::sim {

class MemoryClock {
 public:
  // Of the device's own logs on `disk`, which must outlive it.
  MemoryClock(MemoryDisk& disk, const DeviceId& device) : disk_(disk), device_(device) {}

  void open(WallTime built, const ClockReading& now);

  // What one commit stamps with, and what it appends before all else when it begins an incarnation.
  struct Beginning {
    ClockVerdict verdict;
    HlcClock hlc;
    std::optional<store::AppendBatch> records;
    std::vector<codec::ClockFix> fixes;  // among them
    bool older = false;                  // the store is, and takes another epoch
  };
  Beginning begin(const ClockReading& now, std::optional<codec::OpeningReason> reason) const;
  // The commit is done; these are its own segments. `moved`: some log has.
  void follow(const ClockReading& now, const Beginning& beginning, bool moved,
              const std::vector<trust::VerifiedSegment>& own);

  HlcClock hlc;
  ClockJudge judge{ClockJudge::Start{}};

 private:
  bool is_own(const MemoryLog& log) const;
  HlcClock clock_at(WallTime now, bool with_own) const;
  std::vector<codec::ClockFix> fixes(WallTime right, std::int64_t offset_ms) const;

  MemoryDisk& disk_;
  DeviceId device_;
  store::Line line_;
};

}  // namespace ebb::sim
