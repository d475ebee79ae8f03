// CountView: the built-in view, events by type, window and log. Inside the state room only.
//
// Model:   a cell per (type, window, log); cells are never removed. The last cells used are found
//          through a small cache, so counting an event allocates nothing and searches nothing.
// Threads: not thread-safe; owned by the fold.
// Errors:  load: kCorrupt.
// Spec:    docs/store_format.md section 5
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "codec/event.h"
#include "core/ids.h"
#include "core/result.h"
#include "state/entry_key.h"
#include "state/fold.h"
#include "state/merkle.h"

namespace ebb::state {

class CountView {
 public:
  void add(const LogId& log, const codec::EventView& event);
  Status load(ByteView key, ByteView value);

  // Appends what changed since the last call.
  void take(std::vector<Entry>& out);
  // Merkle root over all cells.
  Hash root(HashFn hash) const;
  // How many events of each log are counted.
  std::map<LogId, std::uint64_t> events_by_log() const;

 private:
  struct Place {
    std::int64_t window_start_ms = 0;
    LogId log;
    auto operator<=>(const Place&) const = default;
  };
  struct Cell {
    Counts counts;
    bool for_store = false;  // stands in for_store_
  };
  using Cells = std::map<Place, Cell>;
  using Types = std::map<std::string, Cells, std::less<>>;
  struct Found {
    const std::string* type = nullptr;
    Cells::value_type* cell = nullptr;
  };

  Found find(std::string_view type, const Place& place);

  Types types_;
  std::vector<Found> cache_ = std::vector<Found>(kCacheSlots);
  std::vector<Found> for_store_;

  static constexpr std::size_t kCacheSlots = 1024;  // a power of two
};

}  // namespace ebb::state
