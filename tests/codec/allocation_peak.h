// Measures how much memory a call takes from operator new at its worst moment. Linking the source
// of it replaces operator new in the whole test program.
//
// Limits:  what C libraries take from malloc is not seen.
// Threads: one thread; the count is the program's.
#pragma once

#include <cstddef>
#include <cstdint>

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

}  // namespace ebb::tests
