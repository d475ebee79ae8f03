// Authority: all that the root and the issuers of a mesh have said, and what follows from it: who
// is a device of the mesh now, and as what.
//
// Model:     a set of signed records. They come in any order and any number of times; every answer
//            is a function of the set, so two nodes that hold the same records answer the same, and
//            have the same digest. Each authority has one log; what of it counts is what hangs
//            together from seq 1 and lies below a fork, or what the root's rotate names. Revokes
//            and retires hold even where their log does not count.
//            Rationale: a forked log is stopped and not guessed about; but nothing that was taken
//            away comes back by a fork, or whoever steals an issuer's key could un-revoke.
// Time:      the caller's, judged by a TimeFloor. Nothing here changes because time passes.
// Errors:    take: those of decode_authority_record; kNotFound when the record is of an authority
//            that nobody has certified yet (nothing is kept: bring it again, the root's log first);
//            kTooLarge beyond the bounds.
// Limits:    limits::kIssuers, kAuthorityRecords a log, kAuthorityBytes in all. Beyond them what is
//            held depends on what came first.
// Ownership: `signatures` must outlive it.
// Threads:   not thread-safe; owned by one thread.
// Cost:      a record that goes on with its log costs its signatures and O(log n); the first proof
//            of a fork, and a rotate, go through all records once.
// Spec:      docs/wire_format.md section 13
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"
#include "trust/authority_record.h"
#include "trust/certificate.h"
#include "trust/device_book.h"
#include "trust/identity.h"

namespace ebb::trust {

// What a device is to the mesh, from the best to the worst.
enum class Standing : std::uint8_t {
  kCertified,
  kNotYetValid,    // its certificate, or those of its issuer, have not begun
  kExpired,        // a restricted link: renewal, and upload of its own logs
  kIssuerExpired,  // the same
  kIssuerEnded,    // shown, of an issuer whose log has forked or has an end, and in no log
  kUnknownIssuer,  // shown, of nobody: the logs of authorities first
  kUnknown,        // no certificate
  kRetired,
  kRevoked,
};

struct Verdict {
  Standing standing = Standing::kUnknown;
  // The one that was judged; none for a device that is unknown, retired or revoked.
  std::optional<Certificate> certificate = std::nullopt;
  bool renewal_due = false;

  // With this role, at this time.
  bool may(std::uint64_t role) const {
    return standing == Standing::kCertified && certificate && certificate->has_role(role);
  }
};

class Authority {
 public:
  // Of the mesh of this id, whose genesis has this root.
  Authority(const MeshId& mesh, const DeviceId& root, const SignatureCheck& signatures);

  struct Taken {
    bool news = false;  // false: it was here, or a fork of which two branches are
    DeviceId authority;
    WallTime at;
    bool by_root = false;
  };
  Result<Taken> take(ByteView encoded_record);

  Verdict verdict(const DeviceId& device, WallTime now) const;
  // Of who shows this certificate, which may be in no log. Errors: those of decode_certificate.
  Result<Verdict> verdict_of_shown(ByteView encoded_certificate, WallTime now) const;

  // Where the log of a revoked device ends; nullopt for a device that is not revoked.
  std::optional<Position> cut(const DeviceId& device, const LogId& log) const;
  Admit admit() const { return policy_ ? policy_->policy.admit : Admit::kInvite; }
  // Issuers whose log has neither forked nor an end, and of which a certificate lasts.
  std::size_t issuers(WallTime now) const;

  // How far the log counts; seq 0 of an authority that is not known.
  Position end(const DeviceId& authority) const;
  // Those with seq above 0, ascending by authority.
  std::vector<AuthorityHead> heads() const;
  // Two records of the least seq of which there are two; nullopt when the log has not forked. Valid
  // until the next take().
  std::optional<std::pair<ByteView, ByteView>> fork_proof(const DeviceId& authority) const;
  // What is held of a log from a seq on, in order, both branches of a fork included; at least one,
  // if there is one, and no more than fit into `bytes_max`. Valid until the next take().
  std::vector<ByteView> records(const DeviceId& authority, Seq from, std::size_t bytes_max) const;
  // Of all that is held. O(records).
  Hash digest() const;

 private:
  struct Held {
    Bytes encoded;
    AuthorityRecord record;
    std::optional<HashedCertificate> certificate;  // of a cert that is this authority's to write
  };
  struct HashedIssuer {
    IssuerCertificate certificate;
    Hash bytes_hash;
  };
  struct Log {
    std::vector<HashedIssuer> certificates;  // newest first; the root has none
    std::map<Position, Held> records;        // at most two of a seq
    Position counted;                        // how far it counts; chain(0) before the first
    std::optional<Seq> fork;                 // the least seq with two records
    bool on_branch = false;                  // it counts to where the root has ended it
    Position wanted;                         // what is missing to be there, from that end down
  };
  struct HeldPolicy {
    record::Policy policy;
    DeviceId authority;
    Hash chain;
  };

  bool is_root(const DeviceId& authority) const { return authority == root_; }
  Held held(ByteView encoded, AuthorityRecord record) const;
  void learn_issuers(const AuthorityRecord& record);
  void learn_issuer(ByteView encoded);
  // About what it takes in memory.
  static std::size_t weight(const Held& held);
  bool insert(Log& log, Held&& held, bool has_end);
  // Counts on from where the log counts to; true when another log has an end since.
  bool extend(const DeviceId& authority, Log& log);
  bool apply(const Held& held);
  void apply_what_holds_anyway(const Held& held);
  void add_policy(const record::Policy& policy, const AuthorityRecord& record);
  bool add_end(const record::Rotate& rotate);
  void rebuild();
  void rebuild_log(const DeviceId& authority, Log& log);
  // Goes down from what is wanted as far as records are there; true when that is to the first.
  static bool reaches_first(Log& log, const Hash& chain_start);
  // The records from the first to `last`, all of which are there.
  static std::vector<const Held*> branch_to(const Log& log, const Position& last);
  const Position* last_of(const DeviceId& authority) const;
  const Log* issuer_log(const DeviceId& issuer) const;
  bool is_stopped(const DeviceId& issuer, const Log& log) const;
  static bool has_lasting(const Log& log, WallTime now);
  Verdict judge(const DeviceId& device, const HashedCertificate* shown, WallTime now) const;
  Standing standing_of(const Certificate& certificate, WallTime now) const;

  MeshId mesh_;
  DeviceId root_;
  const SignatureCheck& signatures_;
  std::map<DeviceId, Log> logs_;       // the root's, and those of certified issuers
  std::map<DeviceId, Position> ends_;  // of issuers, as the root has said
  DeviceBook devices_;
  std::optional<HeldPolicy> policy_;
  std::size_t bytes_ = 0;  // the weight of all records
};

}  // namespace ebb::trust
