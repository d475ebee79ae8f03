// FingerprintTree: a set of heads, sorted by log id, that knows the sum over any range of ids. It
// does not keep the heads themselves.
//
// Model:   a tree over the hexadecimal digits of ids, sixteen children a node. Each node has the
//          sum of all below it; a leaf holds up to kLeafHeads heads and splits when it gets more; a
//          node that becomes small again is a leaf again. The tree of a set does not depend on how
//          the set came about.
//          Rationale: ids are hashes, so the tree is balanced without being balanced. Who searches
//          for ids with one beginning makes it deeper, at most as deep as an id has digits.
// Threads: not thread-safe; a value.
// Limits:  set() and sum() touch at most one path, or two, of log16(N) nodes.
// Spec:    docs/wire_format.md section 6
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "core/id_prefix.h"
#include "core/ids.h"
#include "trust/fingerprint.h"

namespace ebb::trust {

class FingerprintTree {
 public:
  static constexpr std::size_t kLeafHeads = 32;

  // The log stands there now; seq 0 takes it out.
  void set(const LogId& log, const Position& position);

  const FingerprintSum& whole() const { return root_.sum; }
  FingerprintSum sum(const IdPrefix& prefix) const;
  // Both ends are included.
  FingerprintSum sum(const LogId& first, const LogId& last) const;
  // Appends the ids from `first` to `last` that are in the set, in order, at most `most` of them.
  void list(const LogId& first, const LogId& last, std::size_t most, std::vector<LogId>& out) const;

 private:
  struct Head {
    LogId log;
    FingerprintSum entry;
  };
  struct Node {
    FingerprintSum sum;
    std::vector<Head> heads;  // of a leaf, in order of id
    std::unique_ptr<std::array<Node, IdPrefix::kChildren>> children;
  };
  static void take_out(Node& node, std::size_t depth, const LogId& log,
                       const FingerprintSum& entry);
  static void put_in(Node& node, std::size_t depth, const Head& head);
  static void split(Node& node, std::size_t depth);
  static void join(Node& node);
  static void gather(Node& node, std::vector<Head>& heads);
  static void add_range(const Node& node, const IdPrefix& prefix, const LogId& first,
                        const LogId& last, FingerprintSum& out);
  static void list_range(const Node& node, const IdPrefix& prefix, const LogId& first,
                         const LogId& last, std::size_t end, std::vector<LogId>& out);
  const FingerprintSum* entry_of(const LogId& log) const;

  Node root_;
};

}  // namespace ebb::trust
