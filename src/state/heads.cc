#include "state/heads.h"

#include "core/check.h"

namespace ebb::state {

Heads::Log* Heads::find(const LogId& log) {
  if (last_ != nullptr && last_->id == log) return last_;
  const auto it = logs_.find(log);
  if (it == logs_.end()) return nullptr;
  last_ = &it->second;
  return last_;
}

Seq Heads::applied(const LogId& log) {
  const Log* const found = find(log);
  return found == nullptr ? 0 : found->position.seq;
}

bool Heads::covers(const Dot& dot) const {
  const auto it = logs_.find(dot.log);
  return it != logs_.end() && dot.seq > 0 && dot.seq <= it->second.position.seq;
}

void Heads::advance(const LogId& log, const Position& position) {
  Log* found = find(log);
  if (found == nullptr) {
    found = &logs_.emplace(log, Log{log, {}, true, true}).first->second;
    last_ = found;
  }
  EBB_CHECK(position.seq > found->position.seq);
  found->position = position;
  if (found->in_vector) {
    found->in_vector = false;
    not_in_vector_.push_back(found);
  }
  if (found->in_tree) {
    found->in_tree = false;
    not_in_tree_.push_back(found);
  }
}

const VersionVector& Heads::vector() {
  for (Log* const log : not_in_vector_) {
    vector_.set(log->id, log->position);
    log->in_vector = true;
  }
  not_in_vector_.clear();
  return vector_;
}

void Heads::update(MerkleTree& tree) {
  Bytes value;
  for (Log* const log : not_in_tree_) {
    value.clear();
    append_be64(value, log->position.seq);
    append(value, log->position.chain.view());
    tree.set(log->id.view(), value);
    log->in_tree = true;
  }
  not_in_tree_.clear();
}

}  // namespace ebb::state
