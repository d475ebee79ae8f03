// Authority: all that the root and the issuers of a mesh have said, and what follows from it: who
// is a device of the mesh now, and as what.
//
// Model:     a set of signed records. They come in any order and any number of times; every answer
//            is a function of what is known: those that are held, and what is missing of them.
//            Each authority has one log; what of it counts is what hangs together from seq 1 and
//            lies below a fork, or, where the root has ended it, what is on the way to that end.
//            Revokes and retires hold even where their log does not count, until the way to its end
//            is whole. Where a share is so full of them that some may have been dropped, or one
//            that was dropped has not come back, everybody is suspended, at the latest until the
//            root has ended that log. What was dropped is known beside what is held (missing()).
//            Rationale: a forked log is stopped and not guessed about; but nothing that was taken
//            away comes back by a fork or a flood, or who steals an issuer's key could un-revoke.
// Time:      the caller's, judged by a TimeFloor. Nothing here changes because time passes.
// Errors:    take: those of decode_authority_record; kNotFound when the record is of an authority
//            that has no log here (nothing is kept: bring it again, the root's log first);
//            kPermission, by access.
// Limits:    limits::kIssuers, kAuthorityRecords a log, kAuthorityRootBytes, kAuthorityIssuersBytes
//            (shared out so that no log gets less than all of them equally would).
// Ownership: `signatures` must outlive it.
// Threads:   not thread-safe; owned by one thread. An answer may do work that a take has left.
// Cost:      a record costs at most two signatures, none when it is here or in vain, and O(log n);
//            what a fork stops is gone through once. After a record of the root that ends a log or
//            changes the issuers, and when the way to an end becomes whole, the next answer goes
//            through all records once.
// Spec:      docs/wire_format.md section 13
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/time.h"
#include "trust/authority_log.h"
#include "trust/authority_record.h"
#include "trust/certificate.h"
#include "trust/device_book.h"
#include "trust/identity.h"
#include "trust/issuer_book.h"
#include "trust/verdict.h"

namespace ebb::trust {

// What records may weigh (AuthorityLog::weight_of): nodes of one mesh must not differ in it.
struct AuthorityShares {
  std::size_t root = limits::kAuthorityRootBytes;
  std::size_t issuers = limits::kAuthorityIssuersBytes;  // of all together
};

// What takes something away, was dropped from the log of an authority, and has not come back.
struct AuthorityMissing {
  DeviceId authority;
  Missing records;
};

class Authority {
 public:
  // Of the mesh of this id, whose genesis has this root.
  Authority(const MeshId& mesh, const DeviceId& root, const SignatureCheck& signatures,
            const AuthorityShares& shares = {});

  struct Taken {
    bool news = false;  // it is held since, and means something
    bool held = false;  // false: there is no room for it
    DeviceId authority;
    WallTime at;
    bool by_root = false;
  };
  // From a link with this access. kPermission: it is not the root's, and of nobody who may tell.
  Result<Taken> take(ByteView encoded_record, Access access = Access::kFull);

  Verdict verdict(const DeviceId& device, WallTime now) const;
  // Of who shows this certificate, which may be in no log. Errors: those of decode_certificate, of
  // the signature only where it matters. That the link key is the device's its channel proves.
  // `holds`: what was found of its signature, kept by the caller for these bytes, so that it is
  // looked at once; nullopt: nothing yet.
  Result<Verdict> verdict_of_shown(ByteView encoded_certificate, WallTime now,
                                   std::optional<bool>& holds) const;
  Result<Verdict> verdict_of_shown(ByteView encoded_certificate, WallTime now) const {
    std::optional<bool> holds;
    return verdict_of_shown(encoded_certificate, now, holds);
  }

  // Where the log of a device ends that is revoked, or suspended as all are; nullopt of any other.
  std::optional<Position> cut(const DeviceId& device, const LogId& log) const;
  // `floor`: that of a TimeFloor and not the wall clock, so that a clock that is ahead makes no
  // difference.
  Admit admit(WallTime floor) const;
  // Whether this one may certify.
  bool issues(const DeviceId& issuer, WallTime now) const;
  // Issuers that may certify: neither stopped nor without a certificate that lasts.
  std::size_t issuers(WallTime now) const;
  // The records of issuers weigh half of what they may, or more: what is left is for the devices
  // that are known, and for what a person does.
  bool is_half_full() const;
  // Something that was taken away is missing, or may be.
  bool is_suspended() const { return suspended_; }

  // How far the log counts; seq 0 of an authority that is not known.
  Position end(const DeviceId& authority) const;
  // Of a log that has an end: the highest position on the way to it that is not held, to be asked
  // for (its record has room before others); nullopt when the way is whole, or there is no end.
  std::optional<Position> wanted(const DeviceId& authority) const;
  // Whether this record is held and counts.
  bool counts(const DeviceId& authority, const Position& position) const;
  // What the root's records that count make of a time floor that begins when the mesh was made (its
  // genesis says so): each moves it by limits::kTimeFloorStepMs at most. Asked again it is the
  // same. O(records of the root).
  WallTime floor_by_root(WallTime created) const;
  // Of the root and the issuers that it has not ended those with seq above 0, ascending. Logs with
  // an end are not among them, as there may be any number: what they lack is wanted().
  std::vector<AuthorityHead> heads() const;
  // Two records of the least seq of which there are several; nullopt when the log has not forked,
  // or the way to its end is whole. Valid until the next take().
  std::optional<std::pair<ByteView, ByteView>> fork_proof(const DeviceId& authority) const;
  // What is held of a log from a seq on and means something, in order, all branches of a fork
  // included; at least one, if there is one, and no more than fit into `bytes_max`. Valid until the
  // next take().
  std::vector<ByteView> records(const DeviceId& authority, Seq from, std::size_t bytes_max,
                                Telling telling = Telling::kAll) const;
  // The same behind a position, so that one goes on where the last one was.
  std::vector<ByteView> records_after(const DeviceId& authority, const Position& after,
                                      std::size_t bytes_max, Telling telling) const;
  // One record, if it is held and is told so; empty otherwise. Valid until the next take().
  ByteView told(const DeviceId& authority, const Position& position, Telling telling) const;
  // Those that have a log here, the root first.
  std::vector<DeviceId> authorities() const;
  bool holds(const DeviceId& authority, const Position& position) const;
  // The root has ended its log.
  bool is_ended(const DeviceId& authority) const;
  // What the device shows of itself: the newest of its certificates that count; empty: none.
  Bytes certificate_of(const DeviceId& device) const;
  // Whether events of the device count in this topic: a certificate that counts, of whatever time,
  // allows it (role writer and prefix; in the control topic any does). Nobody's whom somebody has
  // revoked, and nobody's while all are suspended.
  bool may_write(const DeviceId& device, std::string_view topic) const;
  // For a policy that is to be in force.
  std::uint64_t next_policy_number() const;
  // Of one log, as digest() of all.
  Hash digest_of(const DeviceId& authority) const;
  // Of all that is held and means something, and of which logs something is missing. Of nodes in
  // which it is equal every answer is. O(records).
  Hash digest() const;
  // To be kept beside the records (docs/store_format.md section 9), and told again to a new
  // Authority when it has taken these.
  std::vector<AuthorityMissing> missing() const;
  void restore_missing(const std::vector<AuthorityMissing>& missing);

  // Records that were gone through to find what counts, since it was made.
  std::uint64_t work() const { return work_; }

 private:
  struct Log {
    AuthorityLog held;
    // What is in the books: of a log without an end what counts, up to here; of one with an end
    // what is on the way down to here, without it.
    Position reached;
  };
  using Logs = std::map<DeviceId, Log>;
  using PolicyKey = std::tuple<std::uint64_t, DeviceId, Hash>;  // number, authority, chain

  bool is_root(const DeviceId& authority) const { return authority == root_; }
  AuthorityLog::Shares share_of(const DeviceId& authority) const;
  bool takes_away(const AuthorityRecord& record) const;
  bool is_told(const DeviceId& authority, const AuthorityLog& log,
               const AuthorityLog::Record& record, Telling telling) const;
  bool certifies(const AuthorityRecord& record) const;
  // authority.cc: the sets.
  void insert(const AuthorityRecord& record, Log& log, AuthorityLog::Held&& held);
  void learn_from_root(const AuthorityRecord& record);
  void learn_issuer(const Position& at, ByteView encoded);
  void learn_end(const record::Rotate& rotate);
  void give_places();
  void keep_to_shares();
  std::size_t weight_of_issuers() const;
  AuthorityLog::Shares share_of_issuers();
  void trim(const DeviceId& authority, Log& log);
  // authority_counts.cc: what counts.
  void bring_up_to_date() const;
  void settle(const DeviceId& authority, Log& log) const;
  void settle_all() const;
  void shrink(Log& log, Seq seq) const;
  void let_go(Log& log, const AuthorityLog::Record& record) const;
  void take_away(const AuthorityLog::Record& record) const;
  // What a record says of devices and policies counts from now on, or no more.
  void turn(const AuthorityLog::Record& record, bool counts) const;
  Position counted(const Log& log) const;
  // authority_verdict.cc.
  const Log* issuer_log(const DeviceId& issuer) const;
  std::optional<Standing> stopped(const DeviceId& issuer) const;
  Verdict judge(const DeviceId& device, const Claim* shown, WallTime now) const;
  Standing suspended(const DeviceBook::Entry* entry, const Claim* shown) const;
  Verdict verdict_by(const Claim& claim, WallTime now) const;
  Standing standing_of(const Claim& claim, WallTime now) const;

  MeshId mesh_;
  DeviceId root_;
  const SignatureCheck& signatures_;
  AuthorityShares shares_;
  IssuerBook issuers_;
  AuthorityLog::Shares issuers_share_;  // of each issuer's log
  bool suspended_ = false;
  // What follows from the records; to be made again when `stale_`. Of what takes away and was
  // dropped something may stand in the books while all are suspended.
  mutable Logs logs_;  // the root's, and those of issuers that may have one
  mutable DeviceBook devices_;
  mutable std::map<PolicyKey, Admit> policies_;
  mutable bool stale_ = false;
  mutable std::uint64_t work_ = 0;
};

}  // namespace ebb::trust
