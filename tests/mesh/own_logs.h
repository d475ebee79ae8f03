// What a peer shows of our own logs, and whether that was taken as a rollback.
#pragma once

#include <vector>

#include "codec/message.h"
#include "mesh/types.h"

namespace ebb::tests {

inline bool found_rollback(const std::vector<mesh::Notice>& notices) {
  for (const mesh::Notice& notice : notices) {
    if (notice.kind == mesh::NoticeKind::kRollbackFound) return true;
  }
  return false;
}

inline codec::SignedHead signed_head(const mesh::StoredHead& head) {
  return {head.key, head.held.seq, head.hlc, head.held.chain, head.signature};
}

// Of logs of ours that are none.
inline codec::YourLogsSummary other_summary() {
  codec::YourLogsSummary summary;
  summary.fingerprint.data[0] = 1;
  summary.count = 1;
  return summary;
}

}  // namespace ebb::tests
