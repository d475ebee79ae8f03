// ServeQueue: the ranges that a link is to be served, in turn, and where each log's stands.
//
// Model:     a log has one range at the most; what is pushed goes behind all others.
// Threads:   not thread-safe; part of the engine.
// Limits:    those of the WANTs in hand (serve.h); taking one out and pushing one look nothing
//            through but the index.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>

#include "codec/frame.h"
#include "core/check.h"
#include "core/ids.h"

namespace ebb::mesh {

// A part of a WANT that we are to answer.
struct ServeRange {
  LogId log;
  Seq next = 1;
  Seq to = 0;  // 0: as far as we hold it
  std::uint64_t job = 0;
  codec::Priority priority = codec::Priority::kCatchUp;  // as what was read last went out
};

class ServeQueue {
 public:
  using Iterator = std::list<ServeRange>::const_iterator;

  // Its log must have no range here.
  void push_back(const ServeRange& range) {
    const Iterator at = ranges_.insert(ranges_.end(), range);
    EBB_CHECK(by_log_.emplace(range.log, at).second);
  }
  ServeRange take(Iterator at) {
    const ServeRange range = *at;
    by_log_.erase(range.log);
    ranges_.erase(at);
    return range;
  }
  // Nullopt when the log has none.
  std::optional<ServeRange> take_log(const LogId& log) {
    const auto found = by_log_.find(log);
    if (found == by_log_.end()) return std::nullopt;
    return take(found->second);
  }
  Iterator begin() const { return ranges_.begin(); }
  Iterator end() const { return ranges_.end(); }
  bool empty() const { return ranges_.empty(); }

 private:
  std::list<ServeRange> ranges_;
  std::map<LogId, Iterator> by_log_;
};

}  // namespace ebb::mesh
