// IssuerMark: how far the issuer on this device has signed, beside its key and apart from the
// store, so that a store that is new, older or another one is no beginning of a second log.
//
// Model:     written when a record of the issuer is durable in the store, and before anybody is
//            told of it. A store that lacks anything up to the mark was set back, and so is one
//            beside a mark that is missing or does not read.
// Errors:    keep, write: those of files.h; then the record may not be told, and is tried again.
// Threads:   not thread-safe; owned by the loop. A write blocks until the disk has it.
// Spec:      docs/store_format.md section 1
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"
#include "mesh/membership_types.h"

namespace ebb::node {

class IssuerMark {
 public:
  // Of no issuer: nothing is noted, and no store is behind.
  IssuerMark() = default;
  // `now`: what was signed before it, was not signed by this run.
  IssuerMark(std::string path, const MeshId& mesh, const DeviceId& issuer, WallTime now);

  // Where the last of the issuer's records ends; seq 0: none of them is.
  static Position end_of(const MeshId& mesh, const DeviceId& issuer,
                         const std::vector<Bytes>& records);
  static Status write(const std::string& path, const DeviceId& issuer, const Position& end);

  // Whether the store with these records, and what the directory was made with, lack what was
  // signed.
  bool is_behind(const std::vector<Bytes>& stored, const std::vector<Bytes>& given) const;
  const std::optional<Position>& end() const { return end_; }
  // Where the store has more than the mark says, it was stopped between the two: the mark is put
  // right, before anybody is told. Only where the store is not behind.
  Status raise(const std::vector<Bytes>& stored);
  // The transaction `token` is to store these.
  void note(const mesh::Token& token, const mesh::AuthorityUpdate& update);
  // It has: what it brought of the issuer is marked; where that fails, to be called again. It has
  // not: forget().
  Status keep(const mesh::Token& token);
  void forget(const mesh::Token& token) { pending_.erase(token); }

 private:
  std::string path_;
  MeshId mesh_;
  std::optional<DeviceId> issuer_;
  WallTime begun_;
  std::optional<Position> end_;  // as the file says; nullopt: it says nothing
  std::map<mesh::Token, Position> pending_;
};

}  // namespace ebb::node
