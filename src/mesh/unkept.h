// Unkept: what the next Commit is to keep of what authorities have said.
//
// Model:   of each record the later word holds, that it is to be put or to be dropped; so no update
//          names one twice.
// Threads: not thread-safe; part of the engine.
// Spec:    docs/store_format.md section 9
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "core/ids.h"
#include "mesh/membership_types.h"

namespace ebb::mesh {

class Unkept {
 public:
  using Place = std::pair<DeviceId, Position>;

  void put(const Place& place, ByteView record) { rows_[place] = to_bytes(record); }
  void drop(const Place& place) { rows_[place] = std::nullopt; }
  bool empty() const { return rows_.empty() && !floors && !missing; }

  // What was tried before this, and was not kept: this is the later word.
  void add_earlier(Unkept earlier) {
    rows_.merge(earlier.rows_);
    if (!floors) floors = earlier.floors;
    if (!missing) missing = std::move(earlier.missing);
  }

  AuthorityUpdate update() const {
    AuthorityUpdate update;
    for (const auto& [place, record] : rows_) {
      if (record) {
        update.records.push_back(*record);
      } else {
        update.dropped.push_back(place);
      }
    }
    update.floors = floors;
    update.missing = missing;
    return update;
  }

  std::optional<trust::TimeFloor::Kept> floors;  // absent: as they were
  std::optional<std::vector<trust::AuthorityMissing>> missing;

 private:
  std::map<Place, std::optional<Bytes>> rows_;
};

}  // namespace ebb::mesh
