#include "trust/authority.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <variant>

#include "core/check.h"
#include "trust/hash.h"

namespace ebb::trust {
namespace {

constexpr std::string_view kSetLabel = "ebb-authority-set-1";
// This part of what issuers' logs may weigh is not for ways to ends.
constexpr std::size_t kApart = 16;

// The greatest share with which all of these together are within the bound.
std::size_t poured(std::vector<std::size_t> weights, std::size_t bound) {
  std::sort(weights.begin(), weights.end());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t logs = weights.size() - i;
    if (weights[i] * logs > bound) return bound / logs;
    bound -= weights[i];
  }
  return SIZE_MAX;
}

}  // namespace

Authority::Authority(const MeshId& mesh, const DeviceId& root, const SignatureCheck& signatures,
                     const AuthorityShares& shares)
    : mesh_(mesh), root_(root), signatures_(signatures), shares_(shares) {
  const AuthorityLog log(authority_chain_start(mesh_, root_));
  logs_.emplace(root_, Log{log, log.start()});
}

AuthorityLog::Shares Authority::share_of(const DeviceId& authority) const {
  return is_root(authority) ? AuthorityLog::Shares{.rest = shares_.root} : issuers_share_;
}

bool Authority::takes_away(const AuthorityRecord& record) const {
  return std::holds_alternative<record::Retire>(record.content) ||
         std::holds_alternative<record::Revoke>(record.content) ||
         (is_root(record.authority) && std::holds_alternative<record::Rotate>(record.content));
}

bool Authority::certifies(const AuthorityRecord& record) const {
  const auto* cert = std::get_if<record::Cert>(&record.content);
  if (cert == nullptr || is_root(record.authority)) return false;
  const auto read = read_certificate(mesh_, cert->certificate);
  return read.ok() && read->certificate.issuer == record.authority &&
         certificate_holds(*read, signatures_);
}

// What costs nothing is asked first; then one signature, and one more of what is inside.
Result<Authority::Taken> Authority::take(ByteView encoded_record, Access access) {
  EBB_ASSIGN(ReadRecord read, read_authority_record(mesh_, encoded_record));
  const AuthorityRecord& record = read.record;
  Taken taken{.authority = record.authority, .at = record.at, .by_root = is_root(record.authority)};
  if (access == Access::kRootLog && !taken.by_root) {
    return Error{ErrorCode::kPermission, "authority record: from one without access"};
  }
  const auto found = logs_.find(record.authority);
  if (found == logs_.end()) return Error{ErrorCode::kNotFound, "authority record: issuer"};
  Log& log = found->second;
  const Position position = record.position();
  taken.held = log.held.find(position) != nullptr;
  if (taken.held) return taken;
  const bool takes = takes_away(record);
  if (!log.held.has_room(position, takes, share_of(record.authority))) return taken;
  if (!record_holds(read, signatures_)) {
    return Error{ErrorCode::kBadSignature, "authority record"};
  }
  insert(record, log,
         {.encoded = to_bytes(encoded_record),
          .previous = record.previous,
          .at = record.at,
          .takes_away = takes,
          .certifies = certifies(record)});
  keep_to_shares();
  // It may be the one for which there was no room.
  const AuthorityLog::Record* kept = log.held.find(position);
  taken.held = kept != nullptr;
  taken.news = taken.held && log.held.means_something(kept->second);
  return taken;
}

void Authority::insert(const AuthorityRecord& record, Log& log, AuthorityLog::Held&& held) {
  const bool was_whole = log.held.is_whole();
  const AuthorityLog::Record& kept = log.held.insert(record.position(), std::move(held));
  // What was taken away off the way to the end is void since.
  if (log.held.is_whole() != was_whole) stale_ = true;
  if (is_root(record.authority)) learn_from_root(record);
  if (stale_) return;
  if (kept.second.takes_away && log.held.means_something(kept.second)) take_away(kept);
  settle(record.authority, log);
}

void Authority::learn_from_root(const AuthorityRecord& record) {
  if (const auto* add = std::get_if<record::IssuerAdd>(&record.content)) {
    learn_issuer(record.position(), add->certificate);
  }
  if (const auto* rotate = std::get_if<record::Rotate>(&record.content)) {
    learn_end(*rotate);
    learn_issuer(record.position(), rotate->successor);
  }
}

void Authority::learn_issuer(const Position& at, ByteView encoded) {
  const auto certificate = decode_issuer_certificate(mesh_, root_, encoded, signatures_);
  if (!certificate.ok() || is_root(certificate->issuer)) return;
  issuers_.add(at, *certificate);
  give_places();
}

void Authority::learn_end(const record::Rotate& rotate) {
  if (is_root(rotate.issuer) || !issuers_.end(rotate.issuer, rotate.end)) return;
  const auto log = logs_.find(rotate.issuer);
  if (log != logs_.end()) log->second.held.set_end(rotate.end);
  stale_ = true;
  give_places();
}

void Authority::give_places() {
  std::vector<DeviceId> issuers = issuers_.with_log();
  std::sort(issuers.begin(), issuers.end());
  const auto lost = std::erase_if(logs_, [&](const auto& each) {
    return !is_root(each.first) && !std::binary_search(issuers.begin(), issuers.end(), each.first);
  });
  if (lost > 0) stale_ = true;
  for (const DeviceId& issuer : issuers) {
    if (logs_.contains(issuer)) continue;
    AuthorityLog log(authority_chain_start(mesh_, issuer));
    if (const Position* end = issuers_.end_of(issuer)) log.set_end(*end);
    const Position reached = log.end().value_or(log.start());
    logs_.emplace(issuer, Log{std::move(log), reached});
  }
}

// What the root has named goes first, so that no flood ends what an issuer has left behind.
std::size_t Authority::weight_of_issuers() const {
  std::size_t all = 0;
  for (const auto& [authority, log] : logs_) {
    if (!is_root(authority)) all += log.held.weight();
  }
  return all;
}

bool Authority::is_half_full() const { return weight_of_issuers() >= shares_.issuers / 2; }

AuthorityLog::Shares Authority::share_of_issuers() {
  const std::size_t apart = shares_.issuers / kApart;
  const std::size_t bound = shares_.issuers - apart;
  if (weight_of_issuers() <= bound) return {};
  std::vector<std::size_t> ways;
  std::vector<std::size_t> rests;
  for (auto& [authority, log] : logs_) {
    if (is_root(authority)) continue;
    if (log.held.is_whole()) log.held.drop_unnamed();
    ways.push_back(log.held.weight_of_way());
    rests.push_back(log.held.weight_of_rest());
  }
  const std::size_t of_ways =
      std::min(std::accumulate(ways.begin(), ways.end(), std::size_t{0}), bound);
  return {.way = poured(std::move(ways), bound),
          .rest = poured(std::move(rests), std::max(bound - of_ways, apart))};
}

void Authority::keep_to_shares() {
  trim(root_, logs_.at(root_));
  bool changes = issuers_share_.rest != SIZE_MAX || issuers_share_.way != SIZE_MAX;
  issuers_share_ = share_of_issuers();
  bool suspended = false;
  for (auto& [authority, log] : logs_) {
    trim(authority, log);
    suspended = suspended || log.held.lacks_taken(share_of(authority));
    changes = changes || log.held.is_full(share_of(authority));
  }
  suspended_ = suspended;
  if (changes && !stale_) settle_all();
}

void Authority::trim(const DeviceId& authority, Log& log) {
  bool issuer_gone = false;
  while (log.held.is_over(share_of(authority))) {
    const AuthorityLog::Record& last = log.held.last();
    if (!stale_) let_go(log, last);
    if (is_root(authority)) issuer_gone = issuers_.remove(last.first) || issuer_gone;
    log.held.drop_last();
  }
  if (issuer_gone) give_places();
}

std::vector<AuthorityHead> Authority::heads() const {
  bring_up_to_date();
  std::vector<AuthorityHead> heads;
  for (const auto& [authority, log] : logs_) {
    const Position end = counted(log);
    if (end.seq > 0 && !log.held.end()) heads.push_back({authority, end});
  }
  return heads;
}

std::optional<std::pair<ByteView, ByteView>> Authority::fork_proof(
    const DeviceId& authority) const {
  const auto found = logs_.find(authority);
  if (found == logs_.end() || !found->second.held.fork()) return std::nullopt;
  if (found->second.held.is_whole()) return std::nullopt;
  const auto first = found->second.held.records().lower_bound({*found->second.held.fork(), {}});
  return std::pair<ByteView, ByteView>(first->second.encoded, std::next(first)->second.encoded);
}

bool Authority::is_told(const DeviceId& authority, const AuthorityLog& log,
                        const AuthorityLog::Record& record, Telling telling) const {
  if (telling == Telling::kNothing || !log.means_something(record.second)) return false;
  if (telling == Telling::kAll || is_root(authority) || record.second.takes_away) return true;
  return record.second.rank == AuthorityLog::Rank::kNamed || log.is_proof(record.first);
}

std::vector<ByteView> Authority::records(const DeviceId& authority, Seq from, std::size_t bytes_max,
                                         Telling telling) const {
  Position before{std::max<Seq>(from, 1) - 1, {}};
  before.chain.data.fill(UINT8_MAX);
  return records_after(authority, before, bytes_max, telling);
}

std::vector<ByteView> Authority::records_after(const DeviceId& authority, const Position& after,
                                               std::size_t bytes_max, Telling telling) const {
  std::vector<ByteView> out;
  const auto found = logs_.find(authority);
  if (found == logs_.end()) return out;
  std::size_t bytes = 0;
  const AuthorityLog& log = found->second.held;
  for (auto at = log.records().upper_bound(after); at != log.records().end(); ++at) {
    if (!is_told(authority, log, *at, telling)) continue;
    bytes += at->second.encoded.size();
    if (!out.empty() && bytes > bytes_max) break;
    out.emplace_back(at->second.encoded);
  }
  return out;
}

ByteView Authority::told(const DeviceId& authority, const Position& position,
                         Telling telling) const {
  const auto found = logs_.find(authority);
  if (found == logs_.end()) return {};
  const AuthorityLog::Record* record = found->second.held.find(position);
  if (record == nullptr || !is_told(authority, found->second.held, *record, telling)) return {};
  return record->second.encoded;
}

Hash Authority::digest() const {
  Bytes all = to_bytes(as_bytes(kSetLabel));
  for (const auto& [authority, log] : logs_) {
    std::uint64_t count = 0;
    Bytes chains;
    for (const auto& [position, held] : log.held.records()) {
      if (!log.held.means_something(held)) continue;
      ++count;
      append(chains, position.chain.view());
    }
    if (count == 0) continue;
    append(all, authority.view());
    append_be64(all, count);
    append(all, chains);
  }
  for (const auto& [authority, log] : logs_) {
    if (!log.held.lacks_taken(share_of(authority))) continue;
    append(all, authority.view());
    append_be64(all, 0);
  }
  return hash(all);
}

Hash Authority::digest_of(const DeviceId& authority) const {
  Bytes all = to_bytes(as_bytes(kSetLabel));
  const auto found = logs_.find(authority);
  if (found == logs_.end()) return hash(all);
  append(all, authority.view());
  const AuthorityLog& log = found->second.held;
  for (const auto& [position, held] : log.records()) {
    if (log.means_something(held)) append(all, position.chain.view());
  }
  append_be64(all, log.lacks_taken(share_of(authority)) ? 1 : 0);
  return hash(all);
}

std::vector<DeviceId> Authority::authorities() const {
  std::vector<DeviceId> all{root_};
  for (const auto& [authority, log] : logs_) {
    if (!is_root(authority)) all.push_back(authority);
  }
  return all;
}

bool Authority::holds(const DeviceId& authority, const Position& position) const {
  const auto found = logs_.find(authority);
  return found != logs_.end() && found->second.held.find(position) != nullptr;
}

bool Authority::is_ended(const DeviceId& authority) const {
  const auto found = logs_.find(authority);
  return found != logs_.end() && found->second.held.end().has_value();
}

std::vector<AuthorityMissing> Authority::missing() const {
  std::vector<AuthorityMissing> out;
  for (const auto& [authority, log] : logs_) {
    if (log.held.missing().any()) out.push_back({authority, log.held.missing()});
  }
  return out;
}

void Authority::restore_missing(const std::vector<AuthorityMissing>& missing) {
  for (const auto& [authority, records] : missing) {
    const auto log = logs_.find(authority);
    if (log != logs_.end()) log->second.held.restore_missing(records);
  }
  keep_to_shares();
}

}  // namespace ebb::trust
