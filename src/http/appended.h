// What a request to append came to, as its answer tells it.
//
// Model:   dots are ranges in the order of the request; neighbours that continue each other are
// one. Limits:  kHttpDotRanges: what is beyond is counted but not listed ("dots_complete": false).
// Threads: a value.
// Spec:    docs/api.md
#pragma once

#include <cstdint>
#include <vector>

#include "http/json_writer.h"
#include "store/types.h"

namespace ebb::http {

class Appended {
 public:
  explicit Appended(std::size_t ranges_max) : ranges_max_(ranges_max) {}

  void add(const std::vector<store::DotRange>& ranges);
  // The fields "appended", "duplicates" and "dots" of an object that is open.
  void write(JsonWriter& out) const;

 private:
  std::size_t ranges_max_;
  std::uint64_t appended_ = 0;
  std::uint64_t duplicates_ = 0;
  std::vector<store::DotRange> ranges_;
  bool complete_ = true;
};

}  // namespace ebb::http
