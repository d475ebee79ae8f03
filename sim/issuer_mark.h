// IssuerMark: what the daemon keeps beside the key of an issuer, apart from its store: how far that
// has signed.
//
// Model:   raised when a commit with records of the issuer is answered, before anybody is told, and
//          at a start from a store that is ahead of it. It goes with no disk.
// Threads: not thread-safe; owned by its host.
// Spec:    docs/decisions/0032-joining.md
#pragma once

#include <map>
#include <vector>

#include "core/ids.h"
#include "mesh/types.h"

namespace ebb::sim {

class IssuerMark {
 public:
  // What was signed before the run is marked.
  IssuerMark(const MeshId& mesh, const DeviceId& issuer, const std::vector<Bytes>& given);

  const DeviceId& issuer() const { return issuer_; }
  const Position& end() const { return end_; }
  // What is kept lacks something that was signed.
  bool is_behind(const std::vector<Bytes>& stored, const std::vector<Bytes>& given) const;
  void raise(const std::vector<Bytes>& stored) { end_ = end_of(stored, end_); }
  // To be stored, and the answer to that.
  void note(const mesh::Commit& commit);
  void answered(const mesh::Committed& committed);

 private:
  Position end_of(const std::vector<Bytes>& records, Position end) const;

  MeshId mesh_;
  DeviceId issuer_;
  Position end_;
  std::map<mesh::Token, Position> pending_;
};

}  // namespace ebb::sim
