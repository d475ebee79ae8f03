// LinkTable: the links of a node by id.
//
// Model:     gone through in order of id. One is found in a short list of ids beside it: links are
//            few and large, and to go from link to link costs more than to look through the list.
// Ownership: owns the links; one stays where it is until it is removed.
// Threads:   not thread-safe; part of the engine.
// Limits:    as many as the engine lets in; finding one goes over the ids of all before it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <vector>

#include "mesh/link.h"
#include "mesh/types.h"

namespace ebb::mesh {

class LinkTable {
 public:
  // Not one that is here already.
  Link& add(LinkId id) {
    Link& link = links_[id];
    link.id = id;
    places_.push_back({id, &link});
    return link;
  }
  void remove(LinkId id) {
    std::erase_if(places_, [id](const Place& place) { return place.id == id; });
    links_.erase(id);
  }
  // Null when there is none; one that is closed is found until it is removed.
  Link* find(LinkId id) const {
    const auto found = std::find_if(places_.begin(), places_.end(),
                                    [id](const Place& place) { return place.id == id; });
    return found == places_.end() ? nullptr : found->link;
  }
  std::size_t size() const { return links_.size(); }
  auto begin() { return links_.begin(); }
  auto end() { return links_.end(); }
  auto begin() const { return links_.begin(); }
  auto end() const { return links_.end(); }

 private:
  struct Place {
    LinkId id;
    Link* link = nullptr;
  };
  std::map<LinkId, Link> links_;
  std::vector<Place> places_;
};

}  // namespace ebb::mesh
