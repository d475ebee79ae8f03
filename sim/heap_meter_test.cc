#include "sim/heap_meter.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

using ebb::sim::heap_bytes;
using ebb::sim::HeapOwner;

namespace {

// What nobody looks at, a compiler need not allocate.
void look_at(const std::vector<char>& bytes) {
  const char* const volatile seen = bytes.data();
  CHECK(seen != nullptr);
}

}  // namespace

TEST_CASE("what an owner allocates is its own until it is freed, whoever frees it") {
  constexpr std::uint32_t kOwner = 77;
  constexpr std::uint32_t kOther = 78;
  const auto before = heap_bytes(kOwner);
  std::unique_ptr<std::vector<char>> kept;
  {
    const HeapOwner owner(kOwner);
    kept = std::make_unique<std::vector<char>>(10000);
  }
  CHECK(heap_bytes(kOwner) >= before + 10000);
  CHECK(heap_bytes(kOther) == 0);
  {
    const HeapOwner other(kOther);
    kept.reset();
  }
  CHECK(heap_bytes(kOwner) == before);
  CHECK(heap_bytes(kOther) == 0);
}

TEST_CASE("owners nest") {
  constexpr std::uint32_t kOuter = 80;
  constexpr std::uint32_t kInner = 81;
  const HeapOwner outer(kOuter);
  {
    const HeapOwner inner(kInner);
    const std::vector<char> bytes(500);
    look_at(bytes);
    CHECK(heap_bytes(kInner) >= 500);
  }
  const std::vector<char> bytes(300);
  look_at(bytes);
  CHECK(heap_bytes(kOuter) >= 300);
  CHECK(heap_bytes(kInner) == 0);
}
