// MemoryAppend: what one commit appends to a device's own logs on a MemoryDisk.
//
// Model:   add() takes a batch as a whole or not at all; seal() signs what was taken, one segment a
//          topic where it fits.
// Threads: not thread-safe; a value of one commit.
// Errors:  add: those of the event codec and of state/objects.h, for the batch alone.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "sim/memory_disk.h"
#include "state/fold.h"
#include "trust/identity.h"

namespace ebb::sim {

class MemoryAppend {
 public:
  MemoryAppend(MemoryDisk& disk, const state::Fold& fold, const trust::Identity& identity,
               HlcClock clock, const ClockVerdict& verdict)
      : disk_(disk),
        fold_(fold),
        identity_(identity),
        clock_(clock),
        now_(verdict.time),
        suspect_(verdict.suspect()) {}

  Result<std::vector<store::DotRange>> add(const store::AppendBatch& batch);
  std::vector<trust::VerifiedSegment> seal();
  const HlcClock& clock() const { return clock_; }

 private:
  using Element = std::tuple<std::string, std::string, std::string>;  // topic, name, element
  struct Item {
    Bytes bytes;
    Hlc hlc;
    std::optional<Uuid> id;
  };
  struct Run {
    LogKey key;
    LogId log;
    Seq first = 1;
    Hlc held_hlc;
    std::vector<Item> items;
    Seq next() const { return first + items.size(); }
  };
  // What a batch adds; thrown away when one of its items is refused.
  struct Scope {
    Run run;
    HlcClock clock;
    std::map<Uuid, Dot> ids;
    std::map<Element, Dot> elements;
    std::vector<store::DotRange> ranges;
  };

  Run open_run(const std::string& topic) const;
  Status add_item(Scope& scope, const store::AppendItem& item);
  Status add_set(Scope& scope, const store::SetChange& change);
  Status encode(Scope& scope, codec::EventView event);
  bool is_repeat(Scope& scope, const std::optional<Uuid>& id);
  std::vector<Dot> kills(const Scope& scope, const Element& element) const;
  trust::VerifiedSegment seal_items(const Run& run, std::size_t from, std::size_t to, Hash& chain);

  MemoryDisk& disk_;
  const state::Fold& fold_;
  const trust::Identity& identity_;
  HlcClock clock_;
  WallTime now_;
  bool suspect_;
  std::map<std::string, Run> runs_;  // by topic
  std::map<Uuid, Dot> ids_;
  std::map<Element, Dot> elements_;
};

}  // namespace ebb::sim
