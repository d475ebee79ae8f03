// MerkleTree: one hash over a set of (key, value) entries, kept as entries change. It stores hashes
// only, not the entries.
//
// Model:   a 16-way tree over the nibbles of hash(key). A subtree without entries hashes to 32 zero
//          bytes; with one entry to its leaf hash H(0x00 || key length u32 || key || value); with
//          more to H(0x01 || the 16 child hashes). The shape depends on the set alone, never on the
//          order of changes.
// Threads: not thread-safe; owned by the fold.
// Limits:  memory in proportion to entries, about 100 bytes each; depth 64.
// Spec:    docs/store_format.md section 6
#pragma once

#include <memory>

#include "core/bytes.h"
#include "core/ids.h"

namespace ebb::state {

// The hash is an argument because this room is below no cryptography: trust::hash in the daemon.
using HashFn = Hash (*)(ByteView bytes);

class MerkleTree {
 public:
  explicit MerkleTree(HashFn hash);
  ~MerkleTree();
  MerkleTree(MerkleTree&&) noexcept;
  MerkleTree& operator=(MerkleTree&&) noexcept;

  // Inserts or replaces.
  void set(ByteView key, ByteView value);
  // No effect when the key is not in the set.
  void erase(ByteView key);
  // O(changes since the last call * depth).
  Hash root();

 private:
  struct Nodes;
  HashFn hash_;
  Bytes scratch_;  // input of a leaf hash; kept so that set() seldom allocates
  std::unique_ptr<Nodes> nodes_;
};

}  // namespace ebb::state
