#include "trust/fingerprint_tree.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ebb::trust {
namespace {

// A node with no more than this joins its children; below the bound of a split, so that a head
// which comes and goes does not split and join each time.
constexpr std::size_t kJoinHeads = FingerprintTree::kLeafHeads / 2;

template <class Heads>
auto place_of(Heads& heads, const LogId& log) {
  return std::lower_bound(heads.begin(), heads.end(), log,
                          [](const auto& head, const LogId& wanted) { return head.log < wanted; });
}

}  // namespace

const FingerprintSum* FingerprintTree::entry_of(const LogId& log) const {
  const Node* node = &root_;
  for (std::size_t depth = 0; node->children != nullptr; ++depth)
    node = &(*node->children)[id_digit(log, depth)];
  const auto it = place_of(node->heads, log);
  return it != node->heads.end() && it->log == log ? &it->entry : nullptr;
}

void FingerprintTree::set(const LogId& log, const Position& position) {
  if (const FingerprintSum* before = entry_of(log)) {
    const FingerprintSum entry = *before;  // its place goes with it
    take_out(root_, 0, log, entry);
  }
  if (position.seq == 0) return;
  put_in(root_, 0, {log, FingerprintSum::of(log, position)});
}

void FingerprintTree::take_out(Node& node, std::size_t depth, const LogId& log,
                               const FingerprintSum& entry) {
  node.sum.remove(entry);
  if (node.children == nullptr) {
    node.heads.erase(place_of(node.heads, log));
    return;
  }
  take_out((*node.children)[id_digit(log, depth)], depth + 1, log, entry);
  if (node.sum.count() <= kJoinHeads) join(node);
}

void FingerprintTree::put_in(Node& node, std::size_t depth, const Head& head) {
  node.sum.add(head.entry);
  if (node.children != nullptr) {
    const std::size_t digit = id_digit(head.log, depth);
    put_in((*node.children)[digit], depth + 1, head);
    return;
  }
  node.heads.insert(place_of(node.heads, head.log), head);
  if (node.heads.size() > kLeafHeads) split(node, depth);
}

void FingerprintTree::split(Node& node, std::size_t depth) {
  node.children = std::make_unique<std::array<Node, IdPrefix::kChildren>>();
  for (const Head& head : std::exchange(node.heads, {})) {
    const std::size_t digit = id_digit(head.log, depth);
    put_in((*node.children)[digit], depth + 1, head);
  }
}

void FingerprintTree::join(Node& node) {
  std::vector<Head> heads;
  gather(node, heads);
  node.heads = std::move(heads);
  node.children.reset();
}

void FingerprintTree::gather(Node& node, std::vector<Head>& heads) {
  std::move(node.heads.begin(), node.heads.end(), std::back_inserter(heads));
  if (node.children == nullptr) return;
  for (Node& child : *node.children)
    gather(child, heads);
}

FingerprintSum FingerprintTree::sum(const IdPrefix& prefix) const {
  const Node* node = &root_;
  for (std::size_t depth = 0; depth < prefix.depth; ++depth) {
    if (node->children == nullptr) return sum(prefix.first, prefix.last());
    node = &(*node->children)[id_digit(prefix.first, depth)];
  }
  return node->sum;
}

FingerprintSum FingerprintTree::sum(const LogId& first, const LogId& last) const {
  FingerprintSum out;
  if (first <= last) add_range(root_, {}, first, last, out);
  return out;
}

void FingerprintTree::add_range(const Node& node, const IdPrefix& prefix, const LogId& first,
                                const LogId& last, FingerprintSum& out) {
  if (node.sum.count() == 0) return;
  const LogId node_last = prefix.last();
  if (prefix.first > last || node_last < first) return;
  if (first <= prefix.first && node_last <= last) {
    out.add(node.sum);
    return;
  }
  if (node.children == nullptr) {
    for (auto it = place_of(node.heads, first); it != node.heads.end() && it->log <= last; ++it)
      out.add(it->entry);
    return;
  }
  for (std::size_t digit = 0; digit < IdPrefix::kChildren; ++digit)
    add_range((*node.children)[digit], prefix.child(digit), first, last, out);
}

void FingerprintTree::list(const LogId& first, const LogId& last, std::size_t most,
                           std::vector<LogId>& out) const {
  if (first <= last) list_range(root_, {}, first, last, out.size() + most, out);
}

void FingerprintTree::list_range(const Node& node, const IdPrefix& prefix, const LogId& first,
                                 const LogId& last, std::size_t end, std::vector<LogId>& out) {
  if (out.size() >= end || node.sum.count() == 0) return;
  if (prefix.first > last || prefix.last() < first) return;
  if (node.children == nullptr) {
    for (auto it = place_of(node.heads, first); it != node.heads.end() && it->log <= last; ++it) {
      if (out.size() == end) return;
      out.push_back(it->log);
    }
    return;
  }
  for (std::size_t digit = 0; digit < IdPrefix::kChildren; ++digit)
    list_range((*node.children)[digit], prefix.child(digit), first, last, end, out);
}

}  // namespace ebb::trust
