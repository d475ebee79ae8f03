#include "mesh/membership.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "core/check.h"
#include "core/limits.h"
#include "core/planted.h"
#include "mesh/trust_time.h"
#include "trust/hash.h"

namespace ebb::mesh {
namespace {

trust::Genesis read_genesis(const MembershipConfig& config, const MeshId& mesh) {
  EBB_CHECK(trust::mesh_id(config.genesis) == mesh);
  auto genesis = trust::decode_genesis(config.genesis);
  EBB_CHECK(genesis.ok());
  return *genesis;
}

}  // namespace

Membership::Membership(MembershipConfig config, const MeshId& mesh, const DeviceId& self,
                       const trust::SignatureCheck& signatures)
    : config_(std::move(config)),
      mesh_(mesh),
      self_(self),
      genesis_(read_genesis(config_, mesh)),
      authority_(
          std::make_unique<trust::Authority>(mesh, genesis_.root, signatures, config_.shares)),
      floor_(genesis_.created, config_.floors),
      judged_(floor_.floor()) {
  load();
}

// The root's log first, then the others, each from its beginning, or where the root has ended it,
// from there down.
void Membership::load() {
  std::map<std::pair<DeviceId, Seq>, std::vector<std::pair<Position, ByteView>>> records;
  for (const Bytes& encoded : config_.stored) {
    const auto read = trust::read_authority_record(mesh_, encoded);
    if (!read.ok()) continue;
    const trust::AuthorityRecord& record = read->record;
    records[{record.authority, record.seq}].emplace_back(record.position(), encoded);
    kept_.insert({record.authority, record.position()});
  }
  const auto take_all = [&](const DeviceId& authority) {
    std::vector<ByteView> all;
    const auto end = records.lower_bound({authority, limits::kSeqMax});
    for (auto at = records.lower_bound({authority, 0}); at != end; ++at) {
      for (const auto& [position, encoded] : at->second)
        all.push_back(encoded);
    }
    if (authority_->wanted(authority)) std::reverse(all.begin(), all.end());
    for (const ByteView encoded : all)
      (void)authority_->take(encoded);
  };
  take_all(genesis_.root);
  for (const DeviceId& authority : authority_->authorities()) {
    if (authority != genesis_.root) take_all(authority);
  }
  authority_->restore_missing(config_.missing);
  missing_kept_ = !config_.missing.empty();
  config_.stored.clear();
  floor_.take_from_root(authority_->floor_by_root(genesis_.created));
  for (const Bytes& record : config_.given)
    (void)take(record, trust::Access::kFull, LinkId{});
  config_.given.clear();
  news_.forget(news_.end());
  drop_what_went();
  judged_ = floor_.floor();
}

Result<trust::Authority::Taken> Membership::take(ByteView record, trust::Access access,
                                                 LinkId bringer) {
  EBB_ASSIGN(const trust::Authority::Taken taken, authority_->take(record, access));
  if (!taken.held) return taken;
  note_kept(record);
  if (!taken.news) return taken;
  ++revision_;
  const auto read = trust::read_authority_record(mesh_, record);
  news_.add(taken.authority, read->record.position(), bringer,
            [this](const AuthorityNews::Item& item) {
              return authority_->holds(item.authority, item.position);
            });
  if (taken.by_root) {
    if (floor_.take_from_root(authority_->floor_by_root(genesis_.created))) {
      unkept_.floors = floor_.kept();
    }
  } else if (authority_->counts(taken.authority, read->record.position())) {
    newest_of_issuers_ = std::max(newest_of_issuers_.value_or(taken.at), taken.at);
  }
  std::vector<trust::AuthorityMissing> missing = authority_->missing();
  if (!missing.empty() || missing_kept_) {
    missing_kept_ = !missing.empty();
    unkept_.missing = std::move(missing);
  }
  return taken;
}

void Membership::note_kept(ByteView record) {
  const auto read = trust::read_authority_record(mesh_, record);
  if (!kept_.insert({read->record.authority, read->record.position()}).second) return;
  unkept_.put({read->record.authority, read->record.position()}, record);
  constexpr std::size_t kBetweenLooks = 4096;
  if (++kept_since_ >= kBetweenLooks) drop_what_went();
}

// What the Authority has dropped goes from the store, too; but nothing that is this device's own.
void Membership::drop_what_went() {
  kept_since_ = 0;
  for (auto at = kept_.begin(); at != kept_.end();) {
    const bool own = config_.issuer != nullptr && at->first == config_.issuer->device();
    if (own || authority_->holds(at->first, at->second)) {
      ++at;
      continue;
    }
    unkept_.drop(*at);
    at = kept_.erase(at);
  }
}

std::optional<AuthorityUpdate> Membership::next_update() {
  if (keeping_ || (unkept_.empty() && !signed_)) return std::nullopt;
  in_flight_ = std::exchange(unkept_, {});
  signing_ = signed_.has_value();
  AuthorityUpdate update = in_flight_.update();
  if (signing_) update.records.push_back(signed_->record);
  return update;
}

std::optional<Membership::Fulfilled> Membership::update_ended(bool stored) {
  keeping_.reset();
  if (!stored) {
    unkept_.add_earlier(std::exchange(in_flight_, {}));
    return std::nullopt;
  }
  in_flight_ = {};
  if (!signing_) return std::nullopt;
  signing_ = false;
  Signed done = *std::exchange(signed_, std::nullopt);
  const auto read = trust::read_authority_record(mesh_, done.record);
  kept_.insert({read->record.authority, read->record.position()});
  (void)take(done.record, trust::Access::kFull, LinkId{});
  return Fulfilled{std::move(done.wish), std::move(done.record)};
}

bool Membership::judge_time(WallTime wall, bool suspect, WallTime built,
                            const std::vector<HeardClock>& clocks) {
  const WallTime least = floor_.floor();
  std::vector<WallTime> peers;
  peers.reserve(clocks.size());
  for (const HeardClock& clock : clocks)
    peers.push_back(clock.now);
  const auto lasts = [this](WallTime at) { return authority_->verdict(self_, at).is_full(); };
  const TrustTime time =
      trust_time({wall, suspect || wall < built}, least, std::move(peers), lasts);
  if (time.at != judged_) verdicts_.clear();
  judged_ = time.at;
  return std::exchange(overruled_, time.overruled) != time.overruled;
}

void Membership::move_floor(WallTime wall, const std::vector<HeardClock>& clocks) {
  if (!newest_of_issuers_) return;
  const WallTime at = *newest_of_issuers_;
  std::vector<WallTime> peers;
  for (const HeardClock& clock : clocks)
    peers.push_back(clock.now);
  if (floor_.take_from_issuer(at, wall, peers)) unkept_.floors = floor_.kept();
  // Until then it waits for the clocks of those that are about to be met.
  const bool is_near = std::abs(wall.ms - at.ms) <= limits::kTimeFloorMs;
  if (at <= floor_.floor() || !is_near) newest_of_issuers_.reset();
}

bool Membership::wants_certificate() const {
  const trust::Verdict verdict = own();
  switch (verdict.standing) {
    case trust::Standing::kRevoked:
    case trust::Standing::kRetired:
    case trust::Standing::kSuspended:
    case trust::Standing::kNotYetValid:
    case trust::Standing::kIssuerNotYetValid:
      return false;
    case trust::Standing::kCertified:
      return verdict.renewal_due || verdict.certificate->link_key != config_.link_key;
    default:
      return true;
  }
}

bool Membership::can_issue() const {
  if (config_.issuer == nullptr) return false;
  return authority_->issues(config_.issuer->device(), judged_);
}

bool Membership::waits_for_member() const {
  if (!config_.set_back || config_.issuer == nullptr || planted(Bug::kIgnoreMark)) return false;
  if (!config_.signed_to) return !member_heard;
  return !authority_->counts(config_.issuer->device(), *config_.signed_to);
}

bool Membership::may_store(const LogKey& key, const LogId& log) {
  if (planted(Bug::kSkipAuthorCheck)) return true;
  if (remembered_at_ != revision_ || writers_.size() > limits::kKnownLogs) {
    writers_.clear();
    verdicts_.clear();
    remembered_at_ = revision_;
  }
  const auto [at, is_new] = writers_.try_emplace(log, false);
  if (is_new) at->second = authority_->may_write(key.device, key.topic);
  return at->second;
}

bool Membership::is_full(const DeviceId& device, std::uint64_t roles) {
  if (remembered_at_ != revision_ || verdicts_.size() > limits::kStoredPeers) {
    writers_.clear();
    verdicts_.clear();
    remembered_at_ = revision_;
  }
  auto at = verdicts_.find(device);
  if (at == verdicts_.end()) at = verdicts_.emplace(device, verdict(device)).first;
  return at->second.may(roles);
}

codec::AuthorityDigest Membership::digest() {
  if (digest_at_ != revision_) {
    const Hash whole = authority_->digest();
    std::memcpy(digest_.data.data(), whole.data.data(), codec::AuthorityDigest::kSize);
    digest_at_ = revision_;
  }
  return digest_;
}

}  // namespace ebb::mesh
