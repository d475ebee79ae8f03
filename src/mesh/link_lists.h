// LinkList, LinkDeadlines: a few links by id, close together in memory: each step of the engine
// asks for the first of them, and links themselves are large.
//
// Threads: not thread-safe; part of the engine.
// Limits:  as many as there are links; looking one up goes over all before it.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "core/time.h"
#include "mesh/types.h"

namespace ebb::mesh {

// Each once, in order of id.
class LinkList {
 public:
  bool empty() const { return ids_.empty(); }
  void insert(LinkId id) {
    const auto at = std::lower_bound(ids_.begin(), ids_.end(), id);
    if (at == ids_.end() || *at != id) ids_.insert(at, id);
  }
  // Of the lowest id; there must be one.
  LinkId take() {
    const LinkId id = ids_.front();
    ids_.erase(ids_.begin());
    return id;
  }

 private:
  std::vector<LinkId> ids_;
};

// When each link wants a Tick; in no order.
class LinkDeadlines {
 public:
  // Nullopt: never, or the link is gone.
  void set(LinkId id, std::optional<Instant> at) {
    const auto found = std::find_if(deadlines_.begin(), deadlines_.end(),
                                    [id](const Deadline& each) { return each.link == id; });
    if (found == deadlines_.end()) {
      if (at) deadlines_.push_back({id, *at});
    } else if (at) {
      found->at = *at;
    } else {
      *found = deadlines_.back();
      deadlines_.pop_back();
    }
  }
  void clear() { deadlines_.clear(); }
  // Those that want one by now, in order of id.
  std::vector<LinkId> due(Instant now) const {
    std::vector<LinkId> links;
    for (const Deadline& each : deadlines_) {
      if (each.at <= now) links.push_back(each.link);
    }
    std::sort(links.begin(), links.end());
    return links;
  }
  std::optional<Instant> earliest() const {
    std::optional<Instant> first;
    for (const Deadline& each : deadlines_) {
      if (!first || each.at < *first) first = each.at;
    }
    return first;
  }

 private:
  struct Deadline {
    LinkId link;
    Instant at;
  };
  std::vector<Deadline> deadlines_;
};

}  // namespace ebb::mesh
