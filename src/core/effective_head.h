// The effective head of a log: how far it counts, which is how far it is stored unless a cut or a
// cap ends it below. Everything that two nodes compare is made of effective heads: the root and the
// lists of reconciliation, version vectors, the digest. A length that is only ours to handle
// (segments, appends) is the stored one.
//
// Model:   cuts (of a revoked device) and caps (above what is valid) are positions; of several the
//          least by (seq, chain) holds, and its chain names the branch. Nothing makes any yet.
// Threads: pure functions; any thread.
#pragma once

#include <algorithm>
#include <optional>

#include "core/ids.h"

namespace ebb {

struct HeadBounds {
  std::optional<Position> cut = {};
  std::optional<Position> cap = {};
};

inline Position effective_head(const Position& stored, const HeadBounds& bounds) {
  Position head = stored;
  if (bounds.cut) head = std::min(head, *bounds.cut);
  if (bounds.cap) head = std::min(head, *bounds.cap);
  return head;
}

}  // namespace ebb
