#include "trust/authority.h"

#include <algorithm>
#include <tuple>
#include <variant>

#include "core/limits.h"
#include "trust/hash.h"

namespace ebb::trust {
namespace {

constexpr std::string_view kSetLabel = "ebb-authority-set-1";
constexpr std::size_t kBranchesKept = 2;
constexpr std::size_t kNodeBytes = 48;  // of a map, beside what it holds

template <class Records>
auto first_of_seq(Records& records, Seq seq) {
  return records.lower_bound(Position{seq, Hash{}});
}

template <class Records>
std::size_t count_of_seq(const Records& records, Seq seq) {
  std::size_t count = 0;
  for (auto at = first_of_seq(records, seq); at != records.end() && at->first.seq == seq; ++at)
    ++count;
  return count;
}

bool takes_away(const AuthorityRecord& record) {
  return std::holds_alternative<record::Retire>(record.content) ||
         std::holds_alternative<record::Revoke>(record.content);
}

}  // namespace

Authority::Authority(const MeshId& mesh, const DeviceId& root, const SignatureCheck& signatures)
    : mesh_(mesh), root_(root), signatures_(signatures) {
  logs_[root_].counted.chain = authority_chain_start(mesh_, root_);
}

Result<Authority::Taken> Authority::take(ByteView encoded_record) {
  EBB_ASSIGN(AuthorityRecord record, decode_authority_record(mesh_, encoded_record, signatures_));
  const DeviceId authority = record.authority;
  const Position position = record.position();
  Taken taken{.authority = authority, .at = record.at, .by_root = is_root(authority)};
  const auto found = logs_.find(authority);
  if (found == logs_.end()) return Error{ErrorCode::kNotFound, "authority record: issuer"};
  Log& log = found->second;
  if (log.records.contains(position)) return taken;
  learn_issuers(record);
  const std::size_t branches = count_of_seq(log.records, position.seq);
  if (branches == kBranchesKept &&
      position > std::next(first_of_seq(log.records, position.seq))->first)
    return taken;
  Held news = held(encoded_record, std::move(record));
  if (bytes_ + weight(news) > limits::kAuthorityBytes) {
    return Error{ErrorCode::kTooLarge, "authority records"};
  }
  taken.news = true;
  const Position* last = last_of(authority);
  bool again = insert(log, std::move(news), last != nullptr);
  if (last == nullptr) apply_what_holds_anyway(log.records.at(position));
  if (!again) again = extend(authority, log);
  if (last != nullptr && !log.on_branch && position == log.wanted) {
    again = reaches_first(log, authority_chain_start(mesh_, authority)) || again;
  }
  if (again) rebuild();
  return taken;
}

Authority::Held Authority::held(ByteView encoded, AuthorityRecord record) const {
  Held held{.encoded = to_bytes(encoded), .record = std::move(record), .certificate = {}};
  const auto* cert = std::get_if<record::Cert>(&held.record.content);
  if (cert == nullptr || is_root(held.record.authority)) return held;
  auto certificate = decode_certificate(mesh_, cert->certificate, signatures_);
  if (certificate.ok() && certificate->issuer == held.record.authority) {
    held.certificate = {std::move(*certificate), hash(cert->certificate)};
    held.record.content = record::Cert{};  // once in memory is enough
  }
  return held;
}

void Authority::learn_issuers(const AuthorityRecord& record) {
  if (const auto* add = std::get_if<record::IssuerAdd>(&record.content)) {
    learn_issuer(add->certificate);
  }
  if (const auto* rotate = std::get_if<record::Rotate>(&record.content)) {
    learn_issuer(rotate->successor);
  }
}

void Authority::learn_issuer(ByteView encoded) {
  auto certificate = decode_issuer_certificate(mesh_, root_, encoded, signatures_);
  if (!certificate.ok() || is_root(certificate->issuer)) return;
  const DeviceId issuer = certificate->issuer;
  const bool is_new = !logs_.contains(issuer);
  if (is_new && logs_.size() > limits::kIssuers) return;
  Log& log = logs_[issuer];
  if (is_new) log.counted.chain = authority_chain_start(mesh_, issuer);
  HashedIssuer entry{std::move(*certificate), hash(encoded)};
  const auto order = [](const HashedIssuer& of) {
    return std::tie(of.certificate.validity.not_before, of.certificate.serial, of.bytes_hash);
  };
  auto at = log.certificates.begin();
  while (at != log.certificates.end() && order(*at) > order(entry))
    ++at;
  if (at != log.certificates.end() && at->bytes_hash == entry.bytes_hash) return;
  log.certificates.insert(at, std::move(entry));
  if (log.certificates.size() > limits::kIssuerCertificates) log.certificates.pop_back();
}

std::size_t Authority::weight(const Held& held) {
  return sizeof(std::pair<const Position, Held>) + kNodeBytes + 2 * held.encoded.size();
}

// True when something does not hold any more that held before.
bool Authority::insert(Log& log, Held&& held, bool has_end) {
  const Position position = held.record.position();
  bool again = false;
  if (count_of_seq(log.records, position.seq) == kBranchesKept) {
    const auto greatest = std::next(first_of_seq(log.records, position.seq));
    again = has_end || takes_away(greatest->second.record);
    bytes_ -= weight(greatest->second);
    log.records.erase(greatest);
  }
  bytes_ += weight(held);
  log.records.emplace(position, std::move(held));
  if (count_of_seq(log.records, position.seq) < kBranchesKept) return again;
  log.fork = std::min(log.fork.value_or(position.seq), position.seq);
  return again || (!log.on_branch && position.seq <= log.counted.seq);
}

bool Authority::extend(const DeviceId& authority, Log& log) {
  if (log.on_branch) return false;
  const Position* last = last_of(authority);
  bool ends = false;
  for (Seq next = log.counted.seq + 1; last == nullptr || next < last->seq; ++next) {
    const auto at = first_of_seq(log.records, next);
    if (at == log.records.end() || count_of_seq(log.records, next) != 1) break;
    if (at->second.record.previous != log.counted.chain) break;
    log.counted = at->first;
    ends = apply(at->second) || ends;
  }
  return ends;
}

bool Authority::apply(const Held& held) {
  if (held.certificate) devices_.add(*held.certificate);
  if (const auto* policy = std::get_if<record::Policy>(&held.record.content)) {
    add_policy(*policy, held.record);
  }
  apply_what_holds_anyway(held);
  const auto* rotate = std::get_if<record::Rotate>(&held.record.content);
  return rotate != nullptr && is_root(held.record.authority) && add_end(*rotate);
}

void Authority::apply_what_holds_anyway(const Held& held) {
  if (const auto* retire = std::get_if<record::Retire>(&held.record.content)) {
    devices_.add(*retire);
  }
  if (const auto* revoke = std::get_if<record::Revoke>(&held.record.content)) {
    devices_.add(*revoke);
  }
}

void Authority::add_policy(const record::Policy& policy, const AuthorityRecord& record) {
  const HeldPolicy entry{policy, record.authority, record.chain};
  const auto order = [](const HeldPolicy& of) {
    return std::tie(of.policy.number, of.authority, of.chain);
  };
  if (!policy_ || order(*policy_) < order(entry)) policy_ = entry;
}

// True when the end of a log has moved.
bool Authority::add_end(const record::Rotate& rotate) {
  if (is_root(rotate.issuer)) return false;
  const auto [at, is_new] = ends_.emplace(rotate.issuer, rotate.end);
  if (is_new) return true;
  if (at->second <= rotate.end) return false;
  at->second = rotate.end;
  return true;
}

// The definition: what follows from the records alone. The root's log goes first, for it ends
// others.
void Authority::rebuild() {
  devices_ = {};
  policy_.reset();
  ends_.clear();
  rebuild_log(root_, logs_.at(root_));
  for (auto& [authority, log] : logs_) {
    if (!is_root(authority)) rebuild_log(authority, log);
  }
}

void Authority::rebuild_log(const DeviceId& authority, Log& log) {
  log.counted = {0, authority_chain_start(mesh_, authority)};
  log.on_branch = false;
  const Position* last = last_of(authority);
  if (last == nullptr) {
    extend(authority, log);
    for (const auto& [position, held] : log.records)
      apply_what_holds_anyway(held);
    return;
  }
  log.wanted = *last;
  log.on_branch = reaches_first(log, log.counted.chain);
  if (log.on_branch) {
    for (const Held* held : branch_to(log, *last))
      apply(*held);
    log.counted = *last;
  }
  extend(authority, log);
}

bool Authority::reaches_first(Log& log, const Hash& chain_start) {
  while (log.wanted.seq > 0) {
    const auto found = log.records.find(log.wanted);
    if (found == log.records.end()) return false;
    log.wanted = {log.wanted.seq - 1, found->second.record.previous};
  }
  return log.wanted.chain == chain_start;
}

std::vector<const Authority::Held*> Authority::branch_to(const Log& log, const Position& last) {
  std::vector<const Held*> branch;
  for (Position at = last; at.seq > 0;) {
    const Held& held = log.records.at(at);
    branch.push_back(&held);
    at = {at.seq - 1, held.record.previous};
  }
  std::reverse(branch.begin(), branch.end());
  return branch;
}

const Position* Authority::last_of(const DeviceId& authority) const {
  const auto at = ends_.find(authority);
  return at == ends_.end() ? nullptr : &at->second;
}

Position Authority::end(const DeviceId& authority) const {
  const auto at = logs_.find(authority);
  return at == logs_.end() ? Position{} : at->second.counted;
}

std::vector<AuthorityHead> Authority::heads() const {
  std::vector<AuthorityHead> heads;
  for (const auto& [authority, log] : logs_) {
    if (log.counted.seq > 0) heads.push_back({authority, log.counted});
  }
  return heads;
}

std::optional<std::pair<ByteView, ByteView>> Authority::fork_proof(
    const DeviceId& authority) const {
  const auto found = logs_.find(authority);
  if (found == logs_.end() || !found->second.fork) return std::nullopt;
  const auto first = first_of_seq(found->second.records, *found->second.fork);
  return std::pair<ByteView, ByteView>(first->second.encoded, std::next(first)->second.encoded);
}

std::vector<ByteView> Authority::records(const DeviceId& authority, Seq from,
                                         std::size_t bytes_max) const {
  std::vector<ByteView> out;
  const auto found = logs_.find(authority);
  if (found == logs_.end()) return out;
  std::size_t bytes = 0;
  const auto& records = found->second.records;
  for (auto at = first_of_seq(records, from); at != records.end(); ++at) {
    bytes += at->second.encoded.size();
    if (!out.empty() && bytes > bytes_max) break;
    out.emplace_back(at->second.encoded);
  }
  return out;
}

Hash Authority::digest() const {
  Bytes all = to_bytes(as_bytes(kSetLabel));
  for (const auto& [authority, log] : logs_) {
    if (log.records.empty() && log.certificates.empty()) continue;
    append(all, authority.view());
    append_be64(all, log.records.size());
    for (const auto& [position, held] : log.records)
      append(all, position.chain.view());
    append_be64(all, log.certificates.size());
    for (const HashedIssuer& issuer : log.certificates)
      append(all, issuer.bytes_hash.view());
  }
  return hash(all);
}

}  // namespace ebb::trust
