// LogWriter: the log of one authority, as it writes it, record after record.
//
// Ownership: the key must outlive it.
// Threads:   not thread-safe.
#pragma once

#include <utility>

#include "trust/authority_record.h"
#include "trust/identity.h"

namespace ebb::tests {

class LogWriter {
 public:
  LogWriter(const trust::Identity& key, const MeshId& mesh) : key_(&key), mesh_(mesh) {
    end_.chain = trust::authority_chain_start(mesh, key.device());
  }
  // The record that goes on with the log.
  Bytes write(trust::record::Content content, WallTime at) {
    trust::AuthorityRecord record;
    record.mesh = mesh_;
    record.authority = key_->device();
    record.seq = end_.seq + 1;
    record.previous = end_.chain;
    record.at = at;
    record.content = std::move(content);
    Bytes encoded = std::move(trust::sign_authority_record(*key_, record)).value();
    end_ = trust::read_authority_record(mesh_, encoded)->record.position();
    return encoded;
  }
  const DeviceId& authority() const { return key_->device(); }
  const Position& end() const { return end_; }

 private:
  const trust::Identity* key_;
  MeshId mesh_;
  Position end_;
};

}  // namespace ebb::tests
