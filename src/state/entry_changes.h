// EntryChanges: stored entries that changed since somebody last looked, the newest value of each.
// Inside the state room only.
//
// Model:   two lookers, each at its own pace: the store, which keeps entries, and the Merkle tree.
//          What waits for one holds every key that changed since, gone ones too, so its owner has
//          each look at the latest when the store does.
// Threads: not thread-safe; owned by one kind of object.
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "state/fold.h"
#include "state/merkle.h"

namespace ebb::state {

class EntryChanges {
 public:
  // No value: the entry is gone.
  void note(const Bytes& key, const std::optional<Bytes>& value) {
    for_store_.insert_or_assign(key, value);
    for_tree_.insert_or_assign(key, value);
  }
  // An entry that came from the store.
  void note_loaded(Bytes key, Bytes value) {
    for_tree_.insert_or_assign(std::move(key), std::move(value));
  }
  // Appends to `out` and forgets.
  void take(std::vector<Entry>& out) {
    while (!for_store_.empty()) {
      auto node = for_store_.extract(for_store_.begin());
      out.push_back({std::move(node.key()), std::move(node.mapped())});
    }
  }
  void update(MerkleTree& tree) {
    for (const auto& [key, value] : for_tree_) {
      if (value) {
        tree.set(key, *value);
      } else {
        tree.erase(key);
      }
    }
    for_tree_.clear();
  }

 private:
  std::map<Bytes, std::optional<Bytes>, BytesLess> for_store_;
  std::map<Bytes, std::optional<Bytes>, BytesLess> for_tree_;
};

}  // namespace ebb::state
