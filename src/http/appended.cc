#include "http/appended.h"

#include "core/ids.h"

namespace ebb::http {

void Appended::add(const std::vector<store::DotRange>& ranges) {
  for (const store::DotRange& range : ranges) {
    (range.duplicate ? duplicates_ : appended_) += range.count;
    if (!ranges_.empty()) {
      store::DotRange& last = ranges_.back();
      if (complete_ && last.log == range.log && last.duplicate == range.duplicate &&
          last.first_seq + last.count == range.first_seq) {
        last.count += range.count;
        continue;
      }
    }
    complete_ = complete_ && ranges_.size() < ranges_max_;
    if (complete_) ranges_.push_back(range);
  }
}

void Appended::write(JsonWriter& out) const {
  out.field("appended", appended_).field("duplicates", duplicates_);
  out.key("dots").begin_array();
  for (const store::DotRange& range : ranges_) {
    out.begin_object().field("log", log_text(range.log)).field("first", range.first_seq);
    out.field("count", range.count).field("duplicate", range.duplicate).end_object();
  }
  out.end_array();
  if (!complete_) out.field("dots_complete", false);
}

}  // namespace ebb::http
