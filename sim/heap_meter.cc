#include "sim/heap_meter.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>

namespace ebb::sim {
namespace {

// Global, because operator new is: it has no argument that could carry them.
thread_local std::uint32_t current_owner = 0;
thread_local std::array<std::int64_t, kHeapOwners> held{};

// In front of each block; keeps the alignment that operator new promises.
struct alignas(std::max_align_t) Header {
  std::uint64_t bytes = 0;
  std::uint32_t owner = 0;
};

void* take(std::size_t bytes) noexcept {
  void* const block = std::malloc(sizeof(Header) + bytes);
  if (block == nullptr) return nullptr;
  auto* const header = new (block) Header{bytes, current_owner};
  held[current_owner] += static_cast<std::int64_t>(bytes);
  return header + 1;
}

void give_back(void* pointer) noexcept {
  if (pointer == nullptr) return;
  Header* const header = static_cast<Header*>(pointer) - 1;
  held[header->owner] -= static_cast<std::int64_t>(header->bytes);
  std::free(header);
}

}  // namespace

std::int64_t heap_bytes(std::uint32_t owner) { return held[std::min(owner, kHeapOwners - 1)]; }

HeapOwner::HeapOwner(std::uint32_t owner) : before_(current_owner) {
  current_owner = std::min(owner, kHeapOwners - 1);
}

HeapOwner::~HeapOwner() { current_owner = before_; }

}  // namespace ebb::sim

void* operator new(std::size_t bytes) {
  void* const pointer = ebb::sim::take(bytes);
  if (pointer == nullptr) throw std::bad_alloc();
  return pointer;
}
void* operator new[](std::size_t bytes) { return operator new(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return ebb::sim::take(bytes);
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return ebb::sim::take(bytes);
}
void operator delete(void* pointer) noexcept { ebb::sim::give_back(pointer); }
void operator delete[](void* pointer) noexcept { ebb::sim::give_back(pointer); }
void operator delete(void* pointer, std::size_t) noexcept { ebb::sim::give_back(pointer); }
void operator delete[](void* pointer, std::size_t) noexcept { ebb::sim::give_back(pointer); }
void operator delete(void* pointer, const std::nothrow_t&) noexcept {
  ebb::sim::give_back(pointer);
}
void operator delete[](void* pointer, const std::nothrow_t&) noexcept {
  ebb::sim::give_back(pointer);
}
