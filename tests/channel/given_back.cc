#include "tests/channel/given_back.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

ebb::ByteView sought;
std::size_t found = 0;

void* get(std::size_t size) {
  void* memory = std::malloc(std::max<std::size_t>(size, 1));
  if (memory == nullptr) std::abort();
  return memory;
}

void give(void* memory) {
  if (memory != nullptr && !sought.empty()) {
    const ebb::ByteView bytes(static_cast<const std::uint8_t*>(memory), malloc_usable_size(memory));
    if (std::search(bytes.begin(), bytes.end(), sought.begin(), sought.end()) != bytes.end()) {
      ++found;
    }
  }
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return get(size); }
void* operator new[](std::size_t size) { return get(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return get(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return get(size); }
void operator delete(void* memory) noexcept { give(memory); }
void operator delete[](void* memory) noexcept { give(memory); }
void operator delete(void* memory, std::size_t) noexcept { give(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { give(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { give(memory); }

namespace ebb::tests {

GivenBack::GivenBack(ByteView bytes) {
  found = 0;
  sought = bytes;
}

GivenBack::~GivenBack() { sought = {}; }

std::size_t GivenBack::blocks() const { return found; }

}  // namespace ebb::tests
