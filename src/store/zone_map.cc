#include "store/zone_map.h"

#include <algorithm>

#include "core/limits.h"

namespace ebb::store {

void ZoneMapBuilder::add(const codec::EventView& event) {
  const std::int64_t ts = event.effective_ts_ms();
  ts_min_ = std::min(ts_min_, ts);
  ts_max_ = std::max(ts_max_, ts);
  if (!any_) hlc_min_ = event.hlc;  // hlc increases inside a log
  any_ = true;
  if (too_many_ || (!types_.empty() && types_.back() == event.type)) return;
  const auto found = std::find(types_.begin(), types_.end(), event.type);
  if (found != types_.end()) {
    std::iter_swap(found, types_.end() - 1);  // runs of one type are found at once
  } else if (types_.size() < limits::kZoneMapTypes) {
    types_.push_back(event.type);
  } else {
    too_many_ = true;
  }
}

ZoneMap ZoneMapBuilder::finish() {
  ZoneMap zone;
  if (!any_ || unknown_) return zone;
  zone.ts_min = ts_min_;
  zone.ts_max = ts_max_;
  zone.hlc_min = hlc_min_;
  if (too_many_) return zone;
  std::sort(types_.begin(), types_.end());
  for (const std::string_view type : types_) {
    zone.types += type;
    zone.types += '\n';
  }
  return zone;
}

}  // namespace ebb::store
