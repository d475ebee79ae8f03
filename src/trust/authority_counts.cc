// What of the records of an Authority counts: found step by step as they come, or all anew.
#include <algorithm>
#include <limits>
#include <variant>

#include "core/check.h"
#include "core/limits.h"
#include "trust/authority.h"
#include "trust/hash.h"

namespace ebb::trust {
namespace {

// The bytes of a certificate, in the bytes of the record that holds it.
ByteView inside(ByteView encoded, ByteView certificate) {
  const auto at =
      std::search(encoded.begin(), encoded.end(), certificate.begin(), certificate.end());
  EBB_CHECK(at != encoded.end());
  return encoded.subspan(static_cast<std::size_t>(at - encoded.begin()), certificate.size());
}

}  // namespace

// The definition: what follows from the records alone.
void Authority::bring_up_to_date() const {
  if (!stale_) return;
  stale_ = false;
  devices_ = {};
  policies_.clear();
  for (auto& [authority, log] : logs_) {
    log.reached = log.held.end().value_or(log.held.start());
    for (const auto& record : log.held.records()) {
      const bool holds = record.second.takes_away && log.held.means_something(record.second);
      if (holds) take_away(record);
    }
  }
  settle_all();
}

void Authority::settle_all() const {
  for (auto& [authority, log] : logs_)
    settle(authority, log);
}

// Brings what is in the books in line with what of a log counts.
void Authority::settle(const DeviceId& authority, Log& log) const {
  if (log.held.end()) {
    while (log.reached != log.held.wanted()) {
      const AuthorityLog::Record* record = log.held.find(log.reached);
      EBB_CHECK(record != nullptr);
      turn(*record, true);
      log.reached = {record->first.seq - 1, record->second.previous};
    }
    return;
  }
  const Seq limit = log.held.count_limit(share_of(authority));
  shrink(log, limit);
  while (log.reached.seq < limit) {
    const AuthorityLog::Record* next = log.held.only_of(log.reached.seq + 1);
    if (next == nullptr || next->second.previous != log.reached.chain) break;
    turn(*next, true);
    log.reached = next->first;
  }
}

// No more of a log counts than up to `seq`.
void Authority::shrink(Log& log, Seq seq) const {
  while (log.reached.seq > seq) {
    const AuthorityLog::Record* record = log.held.find(log.reached);
    EBB_CHECK(record != nullptr);
    turn(*record, false);
    log.reached = {record->first.seq - 1, record->second.previous};
  }
}

// Before a record is dropped.
void Authority::let_go(Log& log, const AuthorityLog::Record& record) const {
  const Position& position = record.first;
  if (!log.held.end()) {
    if (position.seq <= log.reached.seq) shrink(log, position.seq - 1);
  } else if (record.second.rank == AuthorityLog::Rank::kNamed) {
    // The lowest on the way.
    turn(record, false);
    log.reached = position;
  }
}

void Authority::take_away(const AuthorityLog::Record& record) const {
  ++work_;
  const auto read = read_authority_record(mesh_, record.second.encoded);
  EBB_CHECK(read.ok());
  if (const auto* retire = std::get_if<record::Retire>(&read->record.content)) {
    devices_.add(*retire);
  }
  if (const auto* revoke = std::get_if<record::Revoke>(&read->record.content)) {
    devices_.add(*revoke);
  }
}

void Authority::turn(const AuthorityLog::Record& record, bool counts) const {
  ++work_;
  if (record.second.takes_away) return;
  const auto read = read_authority_record(mesh_, record.second.encoded);
  EBB_CHECK(read.ok());
  const AuthorityRecord& said = read->record;
  if (const auto* policy = std::get_if<record::Policy>(&said.content)) {
    const PolicyKey key{policy->number, said.authority, said.chain};
    if (counts) {
      policies_[key] = policy->admit;
    } else {
      policies_.erase(key);
    }
  }
  if (!record.second.certifies) return;
  const ByteView bytes =
      inside(record.second.encoded, std::get<record::Cert>(said.content).certificate);
  const auto certificate = read_certificate(mesh_, bytes);
  EBB_CHECK(certificate.ok());
  const Claim claim = claim_of(certificate->certificate, bytes, said.chain);
  const DeviceId& device = certificate->certificate.device;
  counts ? devices_.add(device, claim) : devices_.remove(device, claim);
}

Position Authority::counted(const Log& log) const {
  if (!log.held.end()) return log.reached;
  return log.held.is_whole() ? *log.held.end() : log.held.start();
}

Position Authority::end(const DeviceId& authority) const {
  bring_up_to_date();
  const auto at = logs_.find(authority);
  return at == logs_.end() ? Position{} : counted(at->second);
}

std::optional<Position> Authority::wanted(const DeviceId& authority) const {
  const auto at = logs_.find(authority);
  if (at == logs_.end() || !at->second.held.end() || at->second.held.is_whole()) {
    return std::nullopt;
  }
  return at->second.held.wanted();
}

bool Authority::counts(const DeviceId& authority, const Position& position) const {
  bring_up_to_date();
  const auto at = logs_.find(authority);
  if (at == logs_.end()) return false;
  const AuthorityLog::Record* record = at->second.held.find(position);
  if (record == nullptr) return false;
  if (at->second.held.end()) return record->second.rank == AuthorityLog::Rank::kNamed;
  // Up to there each seq has one record.
  return position.seq <= at->second.reached.seq;
}

WallTime Authority::floor_by_root(WallTime created) const {
  bring_up_to_date();
  WallTime floor = created;
  const Log& log = logs_.at(root_);
  for (const auto& [position, held] : log.held.records()) {
    if (position.seq > log.reached.seq) break;
    floor = std::max(floor, std::min(held.at, WallTime{floor.ms + limits::kTimeFloorStepMs}));
  }
  return floor;
}

// A number counts when it follows on one that is at most a step below it, or on none. Those of an
// issuer whose time is over still count for that, and for nothing else. Where one is above a gap
// what it stood on has fallen away, and nobody knows what held then: the stricter of the two.
Admit Authority::admit(WallTime floor) const {
  bring_up_to_date();
  Admit admit = Admit::kInvite;
  std::uint64_t reached = 0;
  bool has_gap = false;
  for (const auto& [key, said] : policies_) {
    const auto& [number, authority, chain] = key;
    has_gap = has_gap || number - reached > limits::kPolicyStep;
    const bool rules =
        is_root(authority) || issuers_.time_of(authority, floor) != IssuerTime::kEnded;
    if (has_gap && rules && !logs_.at(authority).held.end()) return Admit::kInvite;
    if (has_gap) continue;
    reached = number;
    if (rules) admit = said;
  }
  return admit;
}

}  // namespace ebb::trust
