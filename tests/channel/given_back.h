// Counts the blocks of memory that are given back with certain bytes in them.
//
// Ownership: the bytes must outlive it, and lie in no block that is given back meanwhile.
// Threads:   one of these at a time, in a program of one thread.
#pragma once

#include <cstddef>

#include "core/bytes.h"

namespace ebb::tests {

class GivenBack {
 public:
  explicit GivenBack(ByteView bytes);
  ~GivenBack();
  GivenBack(const GivenBack&) = delete;
  GivenBack& operator=(const GivenBack&) = delete;
  std::size_t blocks() const;
};

}  // namespace ebb::tests
