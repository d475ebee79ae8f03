// Counters: signed running totals per object and log. Inside the state room only.
//
// Model:   a total is the exact sum of the amounts of one log, in any order; once it leaves 128
//          bits it is kOverflowed and stays so.
// Threads: not thread-safe; owned by the fold.
// Errors:  load: kCorrupt.
// Spec:    docs/store_format.md section 5
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "state/entry_key.h"
#include "state/fold.h"
#include "state/merkle.h"

namespace ebb::state {

class Counters {
 public:
  void add(const ObjectId& object, const LogId& log, std::int64_t amount);
  Status load(ByteView key, ByteView value);

  // Appends what changed since the last call.
  void take(std::vector<Entry>& out);
  // Brings `tree` up to date; always the same tree.
  void update(MerkleTree& tree);
  // Whether `known` holds for every log that has a total.
  bool all_logs(const std::function<bool(const LogId&)>& known) const;

 private:
  struct Cell {
    Int128 total = 0;
    bool for_store = false;  // stands in for_store_
    bool for_tree = false;
  };
  using Cells = std::map<CounterKey, Cell>;

  Cells cells_;
  std::vector<Cells::value_type*> for_store_;
  std::vector<Cells::value_type*> for_tree_;
};

}  // namespace ebb::state
