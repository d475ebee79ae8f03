// Heads: how far each log is applied, as the fold and its digest see it. Inside the state room
// only.
//
// Model:     a log is kept from its first applied event on. The version vector and the Merkle tree
//            follow lazily: an apply moves one position and allocates nothing.
// Ownership: references to a Log stay valid as long as the Heads.
// Threads:   not thread-safe; owned by the fold.
// Spec:      docs/store_format.md section 6
#pragma once

#include <map>
#include <vector>

#include "core/ids.h"
#include "core/version_vector.h"
#include "state/merkle.h"

namespace ebb::state {

class Heads {
 public:
  // seq 0 for a log that is not kept.
  Seq applied(const LogId& log);
  bool covers(const Dot& dot) const;
  // Takes a position above that of the log.
  void advance(const LogId& log, const Position& position);

  const VersionVector& vector();
  // Brings `tree` up to date; always the same tree.
  void update(MerkleTree& tree);

 private:
  struct Log {
    LogId id;
    Position position;
    bool in_vector = false;  // the vector shows this position
    bool in_tree = false;
  };
  Log* find(const LogId& log);

  std::map<LogId, Log> logs_;
  Log* last_ = nullptr;  // events come in runs of one log
  std::vector<Log*> not_in_vector_;
  std::vector<Log*> not_in_tree_;
  VersionVector vector_;
};

}  // namespace ebb::state
