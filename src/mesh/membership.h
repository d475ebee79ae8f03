// Membership: what this node holds of the logs of authorities, the time by which it judges, and
// what of it is still to be kept and to be told. Nothing of links is in here.
//
// Model:     what comes is taken into the Authority at once and kept soon: one Commit at a time
//            carries all that gathered, and what has failed rides with the next one. What this
//            device's own issuer has signed is taken, and told, only when its commit is durable;
//            until then the same bytes are tried again, so that its log never forks.
// Ownership: owns everything; identity and signatures must outlive it.
// Threads:   not thread-safe; part of the engine.
// Errors:    take: those of trust::Authority::take.
// Limits:    those of trust::Authority; limits::kKnownLogs answers remembered.
// Spec:      docs/wire_format.md section 13, docs/store_format.md section 9
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/message.h"
#include "core/ids.h"
#include "core/time.h"
#include "mesh/authority_news.h"
#include "mesh/membership_types.h"
#include "mesh/rate_bound.h"
#include "mesh/unkept.h"
#include "trust/authority.h"
#include "trust/genesis.h"
#include "trust/time_floor.h"

namespace ebb::mesh {

// What a clock of a peer showed when it was heard.
struct HeardClock {
  DeviceId device;
  WallTime now;  // brought up to now
};

// The same as it was told.
struct ToldClock {
  WallTime wall;
  Instant heard;
};

// A certificate, policy or time record that waits to be signed, and who is to be told. Without a
// token it is what would be signed by now: it is made up again, or found to be needless, before it
// is signed.
struct Wish {
  std::optional<Token> token;  // of the driver
  std::optional<LinkId> link;  // of the peer that asks
  std::optional<InviteId> invite;
  trust::record::Content content;                 // of no certificate; a policy is numbered then
  std::optional<trust::Certificate> certificate;  // to be signed
};

class Membership {
 public:
  // Takes what is in `config`, and judges by the floor of time until judge_time().
  Membership(MembershipConfig config, const MeshId& mesh, const DeviceId& self,
             const trust::SignatureCheck& signatures);
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  const MembershipConfig& config() const { return config_; }
  MembershipConfig& config() { return config_; }
  const trust::Authority& authority() const { return *authority_; }
  // Changes with each record that means something, and each time that is judged anew.
  std::uint64_t revision() const { return revision_; }

  Result<trust::Authority::Taken> take(ByteView record, trust::Access access, LinkId bringer);
  // Records that came, for those links that have not brought them.
  const AuthorityNews& news() const { return news_; }
  void forget_news(std::uint64_t before) { news_.forget(before); }

  // The time by which certificates are judged. `clocks`: of peers whose certificates count now or
  // may when their time comes. True when that changes who is overruled.
  bool judge_time(WallTime wall, bool suspect, WallTime built,
                  const std::vector<HeardClock>& clocks);
  WallTime judged() const { return judged_; }
  WallTime floor() const { return floor_.floor(); }
  bool clock_overruled() const { return overruled_; }
  // An issuer's record that counts may move the floor, by clocks that agree with it.
  void move_floor(WallTime wall, const std::vector<HeardClock>& clocks);

  trust::Verdict verdict(const DeviceId& device) const {
    return authority_->verdict(device, judged_);
  }
  trust::Verdict own() const { return verdict(self_); }
  // This device should ask somebody for a certificate.
  bool wants_certificate() const;
  // It has an issuer's key, and that issuer may certify now.
  bool can_issue() const;
  // Its store was set back, and what it has told is not there yet.
  bool waits_for_member() const;
  // Whether events of this log count; remembered while nothing is news.
  bool may_store(const LogKey& key, const LogId& log);
  // What datagrams may do: the same as a link with whom this device is.
  bool is_full(const DeviceId& device, std::uint64_t roles);
  codec::AuthorityDigest digest();

  // ---- what is to be kept
  // What is to go into the next Commit; nothing while one is under way.
  std::optional<AuthorityUpdate> next_update();
  void update_sent(Token token) { keeping_ = token; }
  bool is_update(Token token) const { return keeping_ == token; }
  // Of an own record that is durable now: it is taken, and its wish fulfilled.
  struct Fulfilled {
    Wish wish;
    Bytes record;
  };
  std::optional<Fulfilled> update_ended(bool stored);

  // ---- signing
  // False: too many wait. What peers want leaves room for who is at the device.
  bool wish(Wish wish);
  // What has waited longest, unless something is signed and not yet durable. It waits no more.
  std::optional<Wish> next_wish();
  // Only behind next_wish(), once for each; an error is for the wish.
  Status sign(const Wish& wish, WallTime wall);

  // What peers said of the time within a day, also those whose links have ended.
  std::map<DeviceId, ToldClock> told_clocks;
  // Peers that were asked for a certificate, and when.
  std::map<DeviceId, Instant> asked;
  // Peers that named issuers which were dialled in a hurry, and when; of the last hour.
  std::map<DeviceId, Instant> hurried;
  // Peers for whose comparisons logs were told again, and until when none more of theirs is
  // answered.
  std::map<DeviceId, Instant> compared;
  std::optional<Instant> ask_again_at;    // nobody is asked before
  std::optional<Instant> issuer_dial_at;  // see issuer_dial.h
  std::optional<Instant> time_record_at;  // see time_records.h
  std::string last_refusal;
  RateBound issued{limits::kCertificatesPerSecond};
  // A device that asks for one certificate after the other would fill the issuer's log.
  bool was_certified_often(const DeviceId& device, Instant now) const;
  void note_certified(const DeviceId& device, Instant now);
  bool member_heard = false;  // since the start: its records have come
  std::optional<Instant> judge_at;
  std::uint64_t links_judged = 0;  // the revision by which all links were judged last
  std::uint64_t news_seen = 0;     // the place up to which all links were looked at for news
  // Logs that were not taken for their author's sake. Of each the head table has the key, and keeps
  // it, so there are no more than that holds.
  std::set<LogId> refused;

 private:
  struct Signed {
    Wish wish;
    Bytes record;
  };
  void load();
  void note_kept(ByteView record);
  void drop_what_went();
  bool joins_wish(const Wish& wish);
  Result<Bytes> signed_record(const Wish& wish, WallTime wall) const;

  MembershipConfig config_;
  MeshId mesh_;
  DeviceId self_;
  trust::Genesis genesis_;
  std::unique_ptr<trust::Authority> authority_;
  trust::TimeFloor floor_;
  WallTime judged_;
  bool overruled_ = false;
  std::uint64_t revision_ = 1;
  AuthorityNews news_;
  std::optional<WallTime> newest_of_issuers_;  // `at` of records that came since the floor moved

  std::map<LogId, bool> writers_;
  std::map<DeviceId, trust::Verdict> verdicts_;
  std::uint64_t remembered_at_ = 0;  // revision of the two above
  codec::AuthorityDigest digest_;
  std::uint64_t digest_at_ = 0;  // its revision

  Unkept unkept_, in_flight_;
  std::optional<Token> keeping_;
  std::set<std::pair<DeviceId, Position>> kept_;  // as the store has them, or soon will
  std::size_t kept_since_ = 0;                    // records, since what went was looked for
  bool missing_kept_ = false;                     // the store has some

  struct Certified {
    Instant since;
    std::size_t times = 0;
  };
  std::map<DeviceId, Certified> certified_;            // of the last day, or longer ago
  std::size_t certified_most_ = limits::kStoredPeers;  // then the latter are forgotten

  std::deque<Wish> wishes_;
  std::optional<Signed> signed_;
  bool signing_ = false;  // `signed_` is in the update under way
};

}  // namespace ebb::mesh
