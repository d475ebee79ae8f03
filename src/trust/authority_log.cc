#include "trust/authority_log.h"

#include <algorithm>
#include <iterator>

#include "core/check.h"
#include "core/limits.h"

namespace ebb::trust {
namespace {

// How many records of a seq there are, as far as it matters.
enum class Branches : std::uint8_t { kNone, kOne, kSeveral };

template <class Records>
auto first_of_seq(Records& records, Seq seq) {
  return records.lower_bound(Position{seq, Hash{}});
}

template <class Records>
Branches branches_of(const Records& records, Seq seq) {
  const auto first = first_of_seq(records, seq);
  if (first == records.end() || first->first.seq != seq) return Branches::kNone;
  const auto next = std::next(first);
  return next == records.end() || next->first.seq != seq ? Branches::kOne : Branches::kSeveral;
}

}  // namespace

void Missing::add(const Position& position) {
  if (more) return;
  records.insert(position);
  if (records.size() <= kMost) return;
  records.clear();
  more = true;
}

AuthorityLog::Key AuthorityLog::key_of(const Position& position, Rank rank) {
  return {rank, rank == Rank::kNamed ? UINT64_MAX - position.seq : position.seq, position.chain};
}

AuthorityLog::Rank AuthorityLog::natural_rank(const Held& held) {
  return held.takes_away ? Rank::kTakesAway : Rank::kOther;
}

const AuthorityLog::Record* AuthorityLog::find(const Position& position) const {
  const auto at = records_.find(position);
  return at == records_.end() ? nullptr : &*at;
}

const AuthorityLog::Record* AuthorityLog::only_of(Seq seq) const {
  if (branches_of(records_, seq) != Branches::kOne) return nullptr;
  return &*first_of_seq(records_, seq);
}

std::optional<Seq> AuthorityLog::fork() const {
  return forks_.empty() ? std::nullopt : std::optional<Seq>(*forks_.begin());
}

bool AuthorityLog::is_proof(const Position& position) const {
  if (forks_.empty() || position.seq != *forks_.begin()) return false;
  const auto first = first_of_seq(records_, position.seq);
  return position == first->first || position == std::next(first)->first;
}

// The cuts of what takes away are read into memory beside its bytes.
std::size_t AuthorityLog::weight_of(const Held& held) {
  return limits::kAuthorityRecordWeight + held.encoded.size() * (held.takes_away ? 2 : 1);
}

bool AuthorityLog::is_full(const Shares& shares) const {
  return way_weight_ > shares.way || weight_ - way_weight_ > shares.rest;
}

// Of a way that is beyond its share the next record would be dropped at once.
bool AuthorityLog::has_room(const Position& position, bool takes_away, const Shares& shares) const {
  if (is_whole_ || way_weight_ > shares.way) return false;
  if (end_ && position == wanted_) return true;
  if (!is_full(shares)) return true;
  const Rank rank = takes_away ? Rank::kTakesAway : Rank::kOther;
  return key_of(position, rank) < *order_.rbegin();
}

bool AuthorityLog::is_over(const Shares& shares) const {
  if (order_.empty()) return false;
  const std::size_t least = weight_of(last().second);
  if (last().second.rank == Rank::kNamed) return way_weight_ - least > shares.way;
  return way_weight_ > shares.way || weight_ - way_weight_ - least > shares.rest;
}

bool AuthorityLog::lacks_taken(const Shares& shares) const {
  if (is_whole_) return false;
  return missing_.any() || (is_full(shares) && last().second.rank != Rank::kOther);
}

void AuthorityLog::restore_missing(const Missing& missing) {
  if (is_whole_) return;
  if (missing.more) missing_ = {{}, true};
  for (const Position& position : missing.records) {
    if (find(position) == nullptr) missing_.add(position);
  }
}

Seq AuthorityLog::count_limit(const Shares& shares) const {
  const Seq below_fork = forks_.empty() ? limits::kSeqMax : *forks_.begin() - 1;
  if (!is_full(shares)) return below_fork;
  // Of the seq of the last one a branch may have been dropped.
  const Record& least = last();
  return least.second.rank == Rank::kOther ? std::min(below_fork, least.first.seq - 1) : 0;
}

const AuthorityLog::Record& AuthorityLog::insert(const Position& position, Held&& held) {
  held.rank = natural_rank(held);
  const auto [at, is_new] = records_.emplace(position, std::move(held));
  EBB_CHECK(is_new);
  missing_.records.erase(position);
  weight_ += weight_of(at->second);
  order_.insert(key_of(position, at->second.rank));
  if (branches_of(records_, position.seq) == Branches::kSeveral) forks_.insert(position.seq);
  if (end_ && position == wanted_) walk();
  return *at;
}

const AuthorityLog::Record& AuthorityLog::last() const {
  EBB_CHECK(!order_.empty());
  const Key& key = *order_.rbegin();
  const Seq seq = key.rank == Rank::kNamed ? UINT64_MAX - key.place : key.place;
  const Record* record = find({seq, key.chain});
  EBB_CHECK(record != nullptr);
  return *record;
}

void AuthorityLog::drop_last() {
  const auto at = records_.find(last().first);
  const bool is_void = is_whole_ && at->second.rank != Rank::kNamed;
  if (at->second.takes_away && !is_void) missing_.add(at->first);
  if (at->second.rank == Rank::kNamed) {
    wanted_ = at->first;
    is_whole_ = false;
  }
  erase(at);
}

void AuthorityLog::erase(std::map<Position, Held>::iterator at) {
  const Seq seq = at->first.seq;
  weight_ -= weight_of(at->second);
  if (at->second.rank == Rank::kNamed) way_weight_ -= weight_of(at->second);
  order_.erase(key_of(at->first, at->second.rank));
  records_.erase(at);
  if (branches_of(records_, seq) != Branches::kSeveral) forks_.erase(seq);
}

void AuthorityLog::rank_anew(std::map<Position, Held>::iterator at, Rank rank) {
  order_.erase(key_of(at->first, at->second.rank));
  if (at->second.rank == Rank::kNamed) way_weight_ -= weight_of(at->second);
  if (rank == Rank::kNamed) way_weight_ += weight_of(at->second);
  at->second.rank = rank;
  order_.insert(key_of(at->first, rank));
}

void AuthorityLog::set_end(const Position& end) {
  for (auto at = records_.begin(); end_ && at != records_.end(); ++at) {
    if (at->second.rank == Rank::kNamed) rank_anew(at, natural_rank(at->second));
  }
  end_ = end;
  wanted_ = end;
  is_whole_ = false;
  walk();
}

void AuthorityLog::walk() {
  while (wanted_.seq > 0) {
    const auto at = records_.find(wanted_);
    if (at == records_.end()) return;
    rank_anew(at, Rank::kNamed);
    wanted_ = {wanted_.seq - 1, at->second.previous};
  }
  // The root that ends it before its first record need not name a chain.
  is_whole_ = wanted_ == start_ || end_->seq == 0;
  if (is_whole_) missing_ = {};
}

void AuthorityLog::drop_unnamed() {
  EBB_CHECK(is_whole_);
  while (!order_.empty() && order_.rbegin()->rank != Rank::kNamed)
    drop_last();
}

}  // namespace ebb::trust
