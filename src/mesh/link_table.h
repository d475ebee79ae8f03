// LinkTable: the links of a node by id.
//
// Model:     a short list of ids, in their order, each with its link: links are few and large, and
//            to go from link to link costs more than to look through the list.
// Ownership: owns the links; one stays where it is until it is removed.
// Threads:   not thread-safe; part of the engine.
// Limits:    as many as the engine lets in; finding one goes over the ids of all before it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "mesh/link.h"
#include "mesh/types.h"

namespace ebb::mesh {

class LinkTable {
  struct Place {
    LinkId id;
    std::unique_ptr<Link> link;
  };
  using Places = std::vector<Place>;

  template <class Of, class Base>
  class Iterator {
   public:
    explicit Iterator(Base at) : at_(at) {}
    Of& operator*() const { return *at_->link; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    Base at_;
  };

 public:
  // Not one that is here already, and not while somebody goes through them.
  Link& add(LinkId id) {
    const auto at = std::find_if(places_.begin(), places_.end(),
                                 [id](const Place& place) { return id < place.id; });
    Link& link = *places_.insert(at, Place{id, std::make_unique<Link>()})->link;
    link.id = id;
    return link;
  }
  void remove(LinkId id) {
    std::erase_if(places_, [id](const Place& place) { return place.id == id; });
  }
  // Null when there is none; one that is closed is found until it is removed.
  Link* find(LinkId id) const {
    const auto found = std::find_if(places_.begin(), places_.end(),
                                    [id](const Place& place) { return place.id == id; });
    return found == places_.end() ? nullptr : found->link.get();
  }
  std::size_t size() const { return places_.size(); }
  auto begin() { return Iterator<Link, Places::iterator>(places_.begin()); }
  auto end() { return Iterator<Link, Places::iterator>(places_.end()); }
  auto begin() const { return Iterator<const Link, Places::const_iterator>(places_.begin()); }
  auto end() const { return Iterator<const Link, Places::const_iterator>(places_.end()); }

 private:
  Places places_;  // in order of id
};

}  // namespace ebb::mesh
