#include "store/heap_budget.h"

#include <sqlite3.h>

namespace ebb::store {
namespace {

// SQLite's allocator has no argument that could carry it; this is why it is a variable.
thread_local HeapBudget* budget_of_thread = nullptr;

const sqlite3_mem_methods& plain() {
  static const sqlite3_mem_methods kPlain = [] {
    sqlite3_mem_methods methods{};
    EBB_CHECK(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &methods) == SQLITE_OK);
    return methods;
  }();
  return kPlain;
}

}  // namespace

struct BudgetedAllocator {
  static bool may_take(int bytes) {
    return budget_of_thread == nullptr || budget_of_thread->left_ >= bytes;
  }
  static void note(int bytes) {
    if (budget_of_thread != nullptr) budget_of_thread->left_ -= bytes;
  }

  static void* x_malloc(int bytes) {
    if (!may_take(bytes)) return nullptr;
    void* memory = plain().xMalloc(bytes);
    if (memory != nullptr) note(plain().xSize(memory));
    return memory;
  }
  static void x_free(void* memory) {
    if (memory != nullptr) note(-plain().xSize(memory));
    plain().xFree(memory);
  }
  static void* x_realloc(void* memory, int bytes) {
    const int before = plain().xSize(memory);
    if (!may_take(bytes - before)) return nullptr;
    void* moved = plain().xRealloc(memory, bytes);
    if (moved != nullptr) note(plain().xSize(moved) - before);
    return moved;
  }
};

HeapBudget::HeapBudget(std::size_t bytes_max) : left_(static_cast<std::int64_t>(bytes_max)) {
  EBB_CHECK(budget_of_thread == nullptr);
  budget_of_thread = this;
}

HeapBudget::~HeapBudget() { budget_of_thread = nullptr; }

Status install_heap_budgets() {
  static const int kCode = [] {
    sqlite3_mem_methods methods = plain();
    methods.xMalloc = &BudgetedAllocator::x_malloc;
    methods.xFree = &BudgetedAllocator::x_free;
    methods.xRealloc = &BudgetedAllocator::x_realloc;
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
  }();
  if (kCode == SQLITE_OK) return {};
  return Error{ErrorCode::kInternal, "SQLite was in use before it could be bounded"};
}

}  // namespace ebb::store
