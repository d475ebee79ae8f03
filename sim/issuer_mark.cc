#include "sim/issuer_mark.h"

#include <set>

#include "trust/authority_record.h"

namespace ebb::sim {

IssuerMark::IssuerMark(const MeshId& mesh, const DeviceId& issuer, const std::vector<Bytes>& given)
    : mesh_(mesh), issuer_(issuer) {
  raise(given);
}

Position IssuerMark::end_of(const std::vector<Bytes>& records, Position end) const {
  for (const Bytes& record : records) {
    const auto read = trust::read_authority_record(mesh_, record);
    if (!read.ok() || read->record.authority != issuer_) continue;
    if (read->record.seq > end.seq) end = read->record.position();
  }
  return end;
}

bool IssuerMark::is_behind(const std::vector<Bytes>& stored,
                           const std::vector<Bytes>& given) const {
  std::set<Seq> held;
  bool has_end = end_.seq == 0;
  for (const std::vector<Bytes>* records : {&stored, &given}) {
    for (const Bytes& record : *records) {
      const auto read = trust::read_authority_record(mesh_, record);
      if (!read.ok() || read->record.authority != issuer_) continue;
      if (read->record.seq <= end_.seq) held.insert(read->record.seq);
      has_end = has_end || read->record.position() == end_;
    }
  }
  return !has_end || held.size() < end_.seq;
}

void IssuerMark::note(const mesh::Commit& commit) {
  const Position end = end_of(commit.authority.records, end_);
  if (end.seq > end_.seq) pending_[commit.token] = end;
}

void IssuerMark::answered(const mesh::Committed& committed) {
  const auto found = pending_.find(committed.token);
  if (found == pending_.end()) return;
  if (!committed.failed) end_ = found->second;
  pending_.erase(found);
}

}  // namespace ebb::sim
