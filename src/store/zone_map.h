// ZoneMap: what a segment can contain, so that a scan can pass it by without its body.
//
// Model:   bounds are wide enough for every event of the segment; they may be wider, never
//          narrower. An event of a newer format opens them all.
// Threads: values; any thread.
// Spec:    docs/store_format.md section 3
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/event.h"
#include "core/hlc.h"

namespace ebb::store {

struct ZoneMap {
  std::int64_t ts_min = INT64_MIN;
  std::int64_t ts_max = INT64_MAX;
  Hlc hlc_min;
  std::string types;  // each followed by '\n', in order; empty: any
  bool operator==(const ZoneMap&) const = default;
};

// Takes the events of one segment in order; they must outlive it.
class ZoneMapBuilder {
 public:
  void add(const codec::EventView& event);
  void add_unknown() { unknown_ = true; }
  ZoneMap finish();

 private:
  bool any_ = false;
  bool unknown_ = false;
  bool too_many_ = false;
  std::int64_t ts_min_ = INT64_MAX;
  std::int64_t ts_max_ = INT64_MIN;
  Hlc hlc_min_;
  std::vector<std::string_view> types_;
};

}  // namespace ebb::store
