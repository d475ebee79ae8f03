#include "sim/heap_meter.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>

#if defined(__has_feature)
#define EBB_SANITIZES_ADDRESSES __has_feature(address_sanitizer)
#define EBB_SANITIZES_THREADS __has_feature(thread_sanitizer)
#else
#if defined(__SANITIZE_ADDRESS__)
#define EBB_SANITIZES_ADDRESSES 1
#else
#define EBB_SANITIZES_ADDRESSES 0
#endif
#if defined(__SANITIZE_THREAD__)
#define EBB_SANITIZES_THREADS 1
#else
#define EBB_SANITIZES_THREADS 0
#endif
#endif

namespace ebb::sim {
namespace {

// Global, because operator new is: it has no argument that could carry them.
thread_local constinit std::uint32_t current_owner = 0;
thread_local constinit std::array<std::int64_t, kHeapOwners> held{};

// ThreadSanitizer brings an operator new of its own, and there is room for one only: nothing is
// counted there.
#if !EBB_SANITIZES_THREADS

// In front of each block; keeps the alignment that operator new promises.
struct alignas(std::max_align_t) Header {
  std::uint64_t bytes = 0;
  std::uint32_t owner = 0;
};

// Blocks of a thread's own that were given back, by size: most live for one step of an engine, and
// malloc takes longer over each than the step does with it. Sanitizers want to see
// every block end.
constexpr bool kKeepsBlocks = !EBB_SANITIZES_ADDRESSES;
constexpr std::size_t kGrain = 32;
constexpr std::size_t kKeptBytes = 1024;  // larger blocks go back at once

struct Kept {
  Kept* next = nullptr;
};
thread_local constinit std::array<Kept*, kKeptBytes / kGrain> kept{};
thread_local constinit std::array<std::uint32_t, kKeptBytes / kGrain> kept_count{};
// Of one size and thread. A block that one thread takes and another gives back is kept by the
// other.
constexpr std::uint32_t kKeptBlocks = 16384;

// Of the list for blocks of this size; past the last: they are not kept.
std::size_t list_of(std::size_t bytes) { return bytes == 0 ? 0 : (bytes - 1) / kGrain; }

void* find_block(std::size_t bytes) noexcept {
  const std::size_t list = list_of(bytes);
  if (!kKeepsBlocks || list >= kept.size()) return std::malloc(sizeof(Header) + bytes);
  Kept* const first = kept[list];
  if (first == nullptr) return std::malloc(sizeof(Header) + (list + 1) * kGrain);
  kept[list] = first->next;
  --kept_count[list];
  return first;
}

void leave_block(Header* header) noexcept {
  const std::size_t list = list_of(header->bytes);
  if (!kKeepsBlocks || list >= kept.size() || kept_count[list] >= kKeptBlocks)
    return std::free(header);
  ++kept_count[list];
  kept[list] = new (header) Kept{kept[list]};
}

void* take(std::size_t bytes) noexcept {
  void* const block = find_block(bytes);
  if (block == nullptr) return nullptr;
  auto* const header = new (block) Header{bytes, current_owner};
  held[current_owner] += static_cast<std::int64_t>(bytes);
  return header + 1;
}

void give_back(void* pointer) noexcept {
  if (pointer == nullptr) return;
  Header* const header = static_cast<Header*>(pointer) - 1;
  held[header->owner] -= static_cast<std::int64_t>(header->bytes);
  leave_block(header);
}

#endif

}  // namespace

std::int64_t heap_bytes(std::uint32_t owner) { return held[std::min(owner, kHeapOwners - 1)]; }

HeapOwner::HeapOwner(std::uint32_t owner) : before_(current_owner) {
  current_owner = std::min(owner, kHeapOwners - 1);
}

HeapOwner::~HeapOwner() { current_owner = before_; }

}  // namespace ebb::sim

#if !EBB_SANITIZES_THREADS
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
#endif
