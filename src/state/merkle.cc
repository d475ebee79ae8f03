#include "state/merkle.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "core/check.h"

namespace ebb::state {
namespace {

constexpr std::size_t kFanOut = 16;
constexpr std::size_t kDepthMax = 2 * Hash::kSize;

// What hangs at a place of the tree: nothing, a leaf or a branch, by index. Four bytes instead of a
// pointer nearly halve a branch.
struct Ref {
  std::uint32_t value = 0;

  static Ref leaf(std::uint32_t index) { return {2 * index + 2}; }
  static Ref branch(std::uint32_t index) { return {2 * index + 1}; }
  bool is_none() const { return value == 0; }
  bool is_branch() const { return (value & 1) != 0; }
  bool is_leaf() const { return !is_none() && !is_branch(); }
  std::uint32_t index() const { return (value - 1) >> 1; }
};

struct Leaf {
  Hash path;  // hash of the key
  Hash hash;  // of key and value
};

// Has at least two entries below it, always.
struct Branch {
  std::array<Ref, kFanOut> children{};
  Hash hash;
  bool stale = true;  // hash does not count; then the hashes of all branches above do not either
};

// Items addressed by index; a deque, so growing moves nothing and wastes nothing.
template <class T>
class Pool {
 public:
  std::uint32_t add(T item) {
    if (free_.empty()) {
      EBB_CHECK(items_.size() < (std::size_t{1} << 31) - 1);
      items_.push_back(std::move(item));
      return static_cast<std::uint32_t>(items_.size() - 1);
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    items_[index] = std::move(item);
    return index;
  }
  void remove(std::uint32_t index) { free_.push_back(index); }
  T& at(std::uint32_t index) { return items_[index]; }

 private:
  std::deque<T> items_;
  std::vector<std::uint32_t> free_;
};

std::size_t nibble(const Hash& path, std::size_t depth) {
  const std::uint8_t byte = path.data[depth / 2];
  return depth % 2 == 0 ? byte >> 4 : byte & 15;
}

}  // namespace

struct MerkleTree::Nodes {
  Ref root;
  Pool<Leaf> leaves;
  Pool<Branch> branches;

  void insert(const Leaf& leaf);
  void split(Ref* place, std::size_t depth, const Leaf& leaf);
  void erase(const Hash& path);
  Hash hash_of(Ref ref, HashFn hash);
};

void MerkleTree::Nodes::insert(const Leaf& leaf) {
  Ref* place = &root;
  std::size_t depth = 0;
  while (place->is_branch()) {
    Branch& branch = branches.at(place->index());
    branch.stale = true;
    place = &branch.children[nibble(leaf.path, depth++)];
  }
  if (place->is_none()) {
    *place = Ref::leaf(leaves.add(leaf));
  } else if (Leaf& held = leaves.at(place->index()); held.path == leaf.path) {
    held.hash = leaf.hash;
  } else {
    split(place, depth, leaf);
  }
}

// Puts branches above the leaf at `place`, down to where its way and that of `leaf` part.
void MerkleTree::Nodes::split(Ref* place, std::size_t depth, const Leaf& leaf) {
  const Ref held = *place;
  const Hash held_path = leaves.at(held.index()).path;
  for (;; ++depth) {
    EBB_CHECK(depth < kDepthMax);
    *place = Ref::branch(branches.add(Branch{}));
    Branch& branch = branches.at(place->index());
    const std::size_t ours = nibble(leaf.path, depth);
    const std::size_t theirs = nibble(held_path, depth);
    place = &branch.children[ours];
    if (ours == theirs) continue;
    branch.children[theirs] = held;
    *place = Ref::leaf(leaves.add(leaf));
    return;
  }
}

void MerkleTree::Nodes::erase(const Hash& path) {
  std::array<Ref*, kDepthMax + 1> way{};
  std::size_t depth = 0;
  way[0] = &root;
  while (way[depth]->is_branch()) {
    Branch& branch = branches.at(way[depth]->index());
    branch.stale = true;
    Ref* const next = &branch.children[nibble(path, depth)];
    way[++depth] = next;
  }
  if (way[depth]->is_none() || leaves.at(way[depth]->index()).path != path) return;
  leaves.remove(way[depth]->index());
  *way[depth] = Ref{};
  // A branch left with one entry becomes that entry, so that the shape is that of the set alone.
  while (depth > 0) {
    Ref* const place = way[--depth];
    const std::uint32_t index = place->index();
    const auto& children = branches.at(index).children;
    const auto holds = [](Ref ref) { return !ref.is_none(); };
    if (std::count_if(children.begin(), children.end(), holds) != 1) return;
    const Ref only = *std::find_if(children.begin(), children.end(), holds);
    if (!only.is_leaf()) return;
    *place = only;
    branches.remove(index);
  }
}

// At most kDepthMax calls deep.
Hash MerkleTree::Nodes::hash_of(Ref ref, HashFn hash) {
  if (ref.is_none()) return Hash{};
  if (ref.is_leaf()) return leaves.at(ref.index()).hash;
  Branch& branch = branches.at(ref.index());
  if (!branch.stale) return branch.hash;
  std::array<std::uint8_t, 1 + kFanOut * Hash::kSize> input{};
  input[0] = 0x01;
  auto out = input.begin() + 1;
  for (const Ref child : branch.children) {
    const Hash child_hash = hash_of(child, hash);
    out = std::copy(child_hash.data.begin(), child_hash.data.end(), out);
  }
  branch.hash = hash(input);
  branch.stale = false;
  return branch.hash;
}

MerkleTree::MerkleTree(HashFn hash) : hash_(hash), nodes_(std::make_unique<Nodes>()) {}
MerkleTree::~MerkleTree() = default;
MerkleTree::MerkleTree(MerkleTree&&) noexcept = default;
MerkleTree& MerkleTree::operator=(MerkleTree&&) noexcept = default;

void MerkleTree::set(ByteView key, ByteView value) {
  scratch_.clear();
  scratch_.push_back(0x00);
  append_be32(scratch_, static_cast<std::uint32_t>(key.size()));
  append(scratch_, key);
  append(scratch_, value);
  nodes_->insert({hash_(key), hash_(scratch_)});
}

void MerkleTree::erase(ByteView key) { nodes_->erase(hash_(key)); }

Hash MerkleTree::root() { return nodes_->hash_of(nodes_->root, hash_); }

}  // namespace ebb::state
