#include "cli/wiped_memory.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>

#include "core/secret.h"

namespace ebb::cli {
namespace {

// In front of what is given: how much that is. As large as what it must be aligned to.
struct alignas(std::max_align_t) Head {
  std::size_t bytes;
};

Head* head_of(void* memory) { return static_cast<Head*>(memory) - 1; }

}  // namespace

void* wiped_malloc(std::size_t bytes) noexcept {
  if (bytes > SIZE_MAX - sizeof(Head)) return nullptr;
  void* const whole = ::operator new(sizeof(Head) + bytes, std::nothrow);
  if (whole == nullptr) return nullptr;
  return new (whole) Head{bytes} + 1;
}

void* wiped_calloc(std::size_t count, std::size_t bytes) noexcept {
  if (bytes != 0 && count > SIZE_MAX / bytes) return nullptr;
  void* const memory = wiped_malloc(count * bytes);
  if (memory != nullptr) std::memset(memory, 0, count * bytes);
  return memory;
}

void* wiped_realloc(void* memory, std::size_t bytes) noexcept {
  if (memory == nullptr) return wiped_malloc(bytes);
  void* const other = wiped_malloc(bytes);
  if (other == nullptr) return nullptr;
  std::memcpy(other, memory, std::min(bytes, head_of(memory)->bytes));
  wiped_free(memory);
  return other;
}

char* wiped_strdup(const char* text) noexcept {
  const std::size_t bytes = std::strlen(text) + 1;
  void* const copy = wiped_malloc(bytes);
  if (copy != nullptr) std::memcpy(copy, text, bytes);
  return static_cast<char*>(copy);
}

void wiped_free(void* memory) noexcept {
  if (memory == nullptr) return;
  erase_bytes(static_cast<std::uint8_t*>(memory), head_of(memory)->bytes);
  ::operator delete(head_of(memory), std::nothrow);
}

}  // namespace ebb::cli
