#include "core/version_vector.h"

namespace ebb {

Position VersionVector::at(const LogId& log) const {
  const auto it = positions_.find(log);
  return it == positions_.end() ? Position{} : it->second;
}

void VersionVector::set(const LogId& log, const Position& position) {
  if (position.seq == 0) {
    positions_.erase(log);
  } else {
    positions_[log] = position;
  }
}

}  // namespace ebb
