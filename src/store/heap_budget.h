// HeapBudget: a bound on what SQLite may take from the heap in one scope of one thread. What other
// threads ask for, the writer first of all, is not touched by it.
//
// Model:     SQLite's own sqlite3_hard_heap_limit64 is one figure for the whole process: a query
//            that uses it up would make the next commit fail. So SQLite's allocator is put behind
//            ours, which asks the budget of the calling thread, when there is one.
// Ownership: a budget belongs to the thread that made it, goes on it, and there is one at a time.
// Threads:   any thread; each has its own.
// Errors:    past the bound SQLite gets no memory and reports SQLITE_NOMEM; nothing else changes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/result.h"

namespace ebb::store {

class HeapBudget {
 public:
  explicit HeapBudget(std::size_t bytes_max);
  ~HeapBudget();
  HeapBudget(const HeapBudget&) = delete;
  HeapBudget& operator=(const HeapBudget&) = delete;

 private:
  friend struct BudgetedAllocator;
  std::int64_t left_;
};

// Before SQLite is first used in the process; later calls give the same answer. kInternal when
// somebody has used it already.
Status install_heap_budgets();

}  // namespace ebb::store
