#include "tests/codec/allocation_peak.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> held = 0;
std::atomic<std::size_t> peak = 0;
std::atomic<std::uint64_t> taken = 0;
thread_local ebb::ByteView sought;
thread_local std::size_t blocks_found = 0;

void* take(std::size_t size) {
  // What an earlier owner of the memory left in it is not this one's.
  void* const memory =
      sought.empty() ? std::malloc(size == 0 ? 1 : size) : std::calloc(1, size + 1);
  if (memory == nullptr) std::abort();
  ++taken;
  const std::size_t now = held += malloc_usable_size(memory);
  for (std::size_t most = peak; now > most && !peak.compare_exchange_weak(most, now);) {
  }
  return memory;
}

void give(void* memory) {
  if (memory == nullptr) return;
  const ebb::ByteView block(static_cast<const std::uint8_t*>(memory), malloc_usable_size(memory));
  held -= block.size();
  if (!sought.empty() &&
      std::search(block.begin(), block.end(), sought.begin(), sought.end()) != block.end()) {
    ++blocks_found;
  }
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return take(size); }
void* operator new[](std::size_t size) { return take(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void operator delete(void* memory) noexcept { give(memory); }
void operator delete[](void* memory) noexcept { give(memory); }
void operator delete(void* memory, std::size_t) noexcept { give(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { give(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { give(memory); }

namespace ebb::tests {

AllocationPeak::AllocationPeak() : start_(held), start_count_(taken) { peak = start_; }

std::size_t AllocationPeak::bytes() const { return peak - start_; }
std::uint64_t AllocationPeak::count() const { return taken - start_count_; }

GivenBack::GivenBack(ByteView bytes) {
  blocks_found = 0;
  sought = bytes;
}

GivenBack::~GivenBack() { sought = {}; }

std::size_t GivenBack::blocks() const { return blocks_found; }

}  // namespace ebb::tests
