// What a call takes from operator new at its worst moment, and what stands in the blocks that it
// gives back. Linking the source of these replaces operator new in the whole test program.
//
// Limits:  what C libraries take from malloc is not seen.
// Threads: any; the count is the program's, blocks that are given back are those of its own thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/bytes.h"

namespace ebb::tests {

class AllocationPeak {
 public:
  // Starts to measure; one object at a time.
  AllocationPeak();
  // The most bytes that were held beyond those held at the start.
  std::size_t bytes() const;
  // How often memory was taken since the start.
  std::uint64_t count() const;

 private:
  std::size_t start_;
  std::uint64_t start_count_;
};

// Counts the blocks of memory that its thread gives back with certain bytes in them.
// Ownership: the bytes must outlive it, and lie in no block that is given back meanwhile.
class GivenBack {
 public:
  // One object at a time on a thread.
  explicit GivenBack(ByteView bytes);
  ~GivenBack();
  GivenBack(const GivenBack&) = delete;
  GivenBack& operator=(const GivenBack&) = delete;
  std::size_t blocks() const;
};

}  // namespace ebb::tests
