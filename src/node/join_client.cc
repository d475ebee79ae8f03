#include "node/join_client.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/data_directory.h"
#include "core/error_words.h"
#include "core/limits.h"
#include "mesh/invite_end.h"
#include "node/clocks.h"
#include "node/config.h"
#include "node/config_keys.h"
#include "node/files.h"
#include "node/home.h"
#include "node/join_talk.h"
#include "node/resolver.h"
#include "trust/authority.h"
#include "trust/genesis.h"
#include "trust/hash.h"
#include "trust/invite.h"

namespace ebb::node {
namespace {

constexpr Duration kConnectTime = seconds(5);
constexpr Duration kFirstPause = milliseconds(500);
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567-";
constexpr const char* kAnother = "; ask for a new one (`ebb invite` there)";

Error join_error(ErrorCode code, std::string words) { return {code, "join", std::move(words)}; }

// Where a letter stands that is in no invite; nullopt: all could be.
std::optional<std::size_t> strange_letter(std::string_view line) {
  const std::size_t begin = line.find("ebb1-") == 0 ? 5 : 0;
  for (std::size_t i = begin; i < line.size(); ++i) {
    const char small = line[i] >= 'A' && line[i] <= 'Z' ? static_cast<char>(line[i] + 32) : line[i];
    const bool blank = small == ' ' || small == '\t' || small == '\n' || small == '\r';
    if (!blank && (kLetters.find(small) == kLetters.npos || small == '-')) return i;
  }
  return std::nullopt;
}

Error line_error(const Error& error, std::string_view line) {
  switch (error.code) {
    case ErrorCode::kMalformed:
      return join_error(error.code,
                        "this is no invite: one begins with ebb1-; copy the whole line that "
                        "`ebb invite` printed");
    case ErrorCode::kUnsupported:
      return join_error(error.code, "the invite is " + error.detail +
                                        " of its form, which this ebb does not know: install the "
                                        "ebb that made it");
    case ErrorCode::kTooLarge:
      return join_error(error.code, "this is longer than an invite can be: copy that line alone");
    default:
      break;
  }
  const auto at = strange_letter(line);
  std::string words = "the invite is damaged: ";
  if (at) {
    words += "letter " + std::to_string(*at + 1) + " ('" + std::string(1, line[*at]) +
             "') is in no invite";
  } else {
    words += "letters are missing or wrong (" + std::to_string(line.size()) + " came)";
  }
  return join_error(ErrorCode::kCorrupt, words + "; copy the whole line again");
}

Result<trust::Invite> read_invite(const JoinOptions& options) {
  auto invite = trust::decode_invite(options.line);
  if (!invite.ok()) return line_error(invite.error(), options.line);
  switch (trust::invite_time(*invite, options.now)) {
    case trust::InviteTime::kOpen:
      return invite;
    case trust::InviteTime::kExpired:
      return join_error(ErrorCode::kOutOfRange,
                        "the invite has expired, at " + utc_text(invite->expires) +
                            ", or a clock is wrong: it was made at " + utc_text(invite->made) +
                            " by the inviter's clock, and it is " + utc_text(options.now) +
                            " here; where that is not the time, set this clock and join again" +
                            kAnother);
    case trust::InviteTime::kClockWrong:
      break;
  }
  const bool surely_here = options.now < options.built;
  return join_error(
      ErrorCode::kOutOfRange,
      "a clock is wrong: the invite was made at " + utc_text(invite->made) + ", and it is " +
          utc_text(options.now) + " here; " +
          (surely_here ? "the clock of this machine is wrong (this ebb was built later than that): "
                         "set it, and join again"
                       : "set the clock that is wrong, and if that is the inviter's, ask for a "
                         "new invite"));
}

// What an inviter's refusal means for the person here.
Error refusal_error(const codec::AuthRefused& refused, const trust::Invite& invite, WallTime now) {
  const std::string said = refused.text.empty() ? "" : " (" + refused.text + ")";
  switch (refused.code) {
    case codec::AuthRefusal::kInviteExpired:
      if (refused.text == mesh::kInviteEndedText) {
        return join_error(
            ErrorCode::kOutOfRange,
            "the invite was ended on the device that made it" + std::string(kAnother));
      }
      return join_error(ErrorCode::kOutOfRange,
                        "the invite has expired: the inviter says so, though it lasts to " +
                            utc_text(invite.expires) + " and it is " + utc_text(now) +
                            " here: one of the clocks is wrong" + kAnother);
    case codec::AuthRefusal::kInviteUsed:
      return join_error(ErrorCode::kExists, "the invite was used already, as often as it may be" +
                                                std::string(kAnother));
    case codec::AuthRefusal::kNoIssuer:
      return join_error(ErrorCode::kPermission, "the inviter cannot certify devices any more" +
                                                    said + ": see `ebb status` there");
    case codec::AuthRefusal::kClock:
      return join_error(ErrorCode::kOutOfRange,
                        "a clock is wrong: the inviter does not believe its own" + said +
                            ": set it there, and join again");
    case codec::AuthRefusal::kLater:
      return join_error(ErrorCode::kBusy,
                        "the inviter has too much to do" + said + ": join again in a minute");
    case codec::AuthRefusal::kNotByPolicy:
    case codec::AuthRefusal::kTakenOff:
      break;
  }
  return join_error(ErrorCode::kPermission, "the inviter refuses this device" + said + kAnother);
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "device";
  return name.data();
}

// The keys of this attempt: those of one before in the same mesh, of which nobody knows whether
// they were certified, or new ones.
class Draft {
 public:
  Draft(const std::string& dir, const MeshId& mesh)
      : dir_(home_paths(dir).dir),
        keys_(home_paths(dir).keys),
        identity_path_(path_in(keys_, "joining-" + of_mesh(mesh) + "-identity.key")),
        link_path_(path_in(keys_, "joining-" + of_mesh(mesh) + "-link.key")) {
    const auto old_identity = read_key_file(identity_path_, kIdentityKind);
    const auto old_link = read_key_file(link_path_, kLinkKind);
    if (old_identity.ok() && old_link.ok()) {
      identity = *old_identity;
      link = *old_link;
      return;
    }
    trust::random_bytes(identity.data().data(), identity.data().size());
    trust::random_bytes(link.data().data(), link.data().size());
  }
  // Before anybody is asked to certify them; from then on the directory is this attempt's.
  Status keep() {
    if (lock_) return {};
    EBB_ASSIGN(lock_, HomeLock::take(dir_));
    EBB_RETURN_IF_ERROR(make_directory(keys_));
    EBB_RETURN_IF_ERROR(write_key_file(identity_path_, kIdentityKind, identity));
    return write_key_file(link_path_, kLinkKind, link);
  }
  const HomeLock& lock() const { return *lock_; }
  // Nobody has certified them, or they are in their places. What was there before stays.
  void forget() {
    ::unlink(identity_path_.c_str());
    ::unlink(link_path_.c_str());
    ::rmdir(keys_.c_str());
    ::rmdir(dir_.c_str());
  }
  KeyBytes identity, link;

 private:
  static std::string of_mesh(const MeshId& mesh) { return to_hex(mesh.view().first(8)); }
  std::string dir_, keys_, identity_path_, link_path_;
  std::optional<HomeLock> lock_;
};

// Who is certified already is told so again before this is said.
bool says_not_certified(codec::AuthRefusal code) {
  return code == codec::AuthRefusal::kInviteUsed || code == codec::AuthRefusal::kInviteExpired ||
         code == codec::AuthRefusal::kNotByPolicy || code == codec::AuthRefusal::kTakenOff;
}

// Everything that was told, as far as it holds: what goes into the directory.
Result<std::vector<Bytes>> verified_records(const JoinAnswer& answer, const trust::Genesis& genesis,
                                            const MeshId& mesh, const DeviceId& device,
                                            const trust::LinkKey& link, WallTime now) {
  const trust::SignatureCheck signatures;
  trust::Authority authority(mesh, genesis.root, signatures);
  std::vector<Bytes> held;
  std::vector<const Bytes*> waiting;
  for (const Bytes& record : answer.records)
    waiting.push_back(&record);
  // The root's name issuers, whose records mean something only behind that.
  for (std::size_t before = waiting.size() + 1; !waiting.empty() && waiting.size() < before;) {
    before = waiting.size();
    std::erase_if(waiting, [&](const Bytes* record) {
      const auto taken = authority.take(*record);
      if (!taken.ok()) return taken.error().code != ErrorCode::kNotFound;
      if (taken->news) held.push_back(*record);
      return true;
    });
  }
  const trust::Verdict verdict = authority.verdict(device, std::max(now, genesis.created));
  const bool ours = verdict.certificate && verdict.certificate->link_key == link;
  const bool counts = verdict.standing == trust::Standing::kCertified ||
                      verdict.standing == trust::Standing::kNotYetValid;
  if (ours && counts) return held;
  return join_error(ErrorCode::kBadSignature,
                    "what the inviter told does not make this device one of the mesh: there is no "
                    "certificate for it that counts; nothing was written: ask for a new invite");
}

class Join {
 public:
  explicit Join(const JoinOptions& options) : options_(options) {}
  Result<Joined> run();

 private:
  Status prepare();
  Result<JoinAnswer> ask_at(const std::string& address);
  // What came of the rounds.
  struct Trouble {
    bool over = false;    // there is no other
    bool silent = false;  // somebody was there who said nothing
    std::string tried;    // by the last
  };
  Result<JoinAnswer> ask_each(Trouble& trouble);
  Result<JoinAnswer> ask_anybody();
  Status become(const JoinAnswer& answer);
  void tell(const std::string& line) const {
    if (options_.progress) options_.progress(line);
  }

  const JoinOptions& options_;
  std::optional<Draft> draft_;
  trust::Invite invite_;
  NewHome made_;
  std::unique_ptr<trust::Identity> identity_;
  channel::StaticKey link_;
  std::string reached_;
};

Status Join::prepare() {
  EBB_RETURN_IF_ERROR(require_no_device(options_.dir));
  EBB_ASSIGN(invite_, read_invite(options_));
  made_.name = options_.name.empty() ? host_name() : options_.name;
  Config config;
  EBB_RETURN_IF_ERROR(find_config_key("node.name")->set(config, made_.name));
  draft_.emplace(options_.dir, invite_.mesh());
  made_.identity = draft_->identity;
  made_.link = draft_->link;
  EBB_ASSIGN(identity_, trust::Identity::from_seed(made_.identity.view()));
  link_ = channel::StaticKey(*channel::Key::from(made_.link.view()));
  return {};
}

Result<JoinAnswer> Join::ask_at(const std::string& address) {
  tell("dialling " + address);
  EBB_ASSIGN(const Endpoint endpoint, Resolver::resolve_now(address));
  EBB_ASSIGN(JoinStream stream, JoinStream::connect(endpoint, monotonic_now() + kConnectTime));
  return talk_to_inviter(std::move(stream), invite_, {*identity_, link_}, made_.name, [this] {
    tell("found who has invited; asking for a certificate");
    return draft_->keep();
  });
}

std::string words_of(const Error& error) {
  if (error.context == "join") return error.detail;
  if (error.context != "connection") return error_words(error);
  if (error.code == ErrorCode::kNotFound) return "refused: the port is closed";
  if (error.code == ErrorCode::kBusy)
    return "no answer: nothing is there, or a firewall is between";
  return error.detail;
}

// Trouble of one address, after which the others are tried; nullopt: the attempt is over with it.
std::optional<Error> final_error(const Error& error, const std::string& address) {
  const bool of_talk = error.context == "join";
  // Who was found and has gone may have certified us.
  if (of_talk && error.code == ErrorCode::kIo) {
    return join_error(ErrorCode::kIo, "the inviter was found at " + address +
                                          ", but gave no answer: " + error.detail +
                                          "; run the same command again");
  }
  if (of_talk && error.code == ErrorCode::kUnsupported) {
    return join_error(ErrorCode::kUnsupported,
                      "the inviter at " + address + " speaks another version of the protocol (" +
                          error.detail + "): install the same ebb on both machines");
  }
  const bool goes_on =
      of_talk || error.context == "connection" || error.code == ErrorCode::kInvalidArgument;
  return goes_on ? std::nullopt : std::optional(error);
}

Result<JoinAnswer> Join::ask_each(Trouble& trouble) {
  trouble.tried.clear();
  for (const std::string& address : invite_.addresses) {
    Result<JoinAnswer> answer = ask_at(address);
    if (answer.ok()) {
      reached_ = address;
      return answer;
    }
    const Error& error = answer.error();
    if (auto over = final_error(error, address)) {
      trouble.over = true;
      return *over;
    }
    trouble.silent = trouble.silent || error.code == ErrorCode::kBadTag;
    const std::string why = words_of(error);
    tell(address + ": " + why);
    trouble.tried.append(trouble.tried.empty() ? "" : "; ").append(address + ": " + why);
  }
  return join_error(ErrorCode::kNotFound,
                    "the inviter was not reached (" + trouble.tried +
                        "): see that its node runs "
                        "(`ebb status` there) and that its port is open to this machine");
}

// Who has too much to do is silent as who does not know the invite: it is asked again for a while.
Result<JoinAnswer> Join::ask_anybody() {
  const Instant end = monotonic_now() + options_.patience;
  Duration pause = kFirstPause;
  Trouble trouble;
  while (true) {
    Result<JoinAnswer> answer = ask_each(trouble);
    if (answer.ok() || trouble.over || !trouble.silent) return answer;
    if (monotonic_now() + pause >= end) {
      return join_error(
          ErrorCode::kNotFound,
          "nobody has let this device in (" + trouble.tried +
              "): see that the invite is of that node and open (`ebb invite ls` there; one that "
              "ended more than 7 days ago is not known any more), and join again");
    }
    tell("asking again in " + std::to_string((pause.ms() + 999) / 1000) + " s");
    JoinStream::wait_until(monotonic_now() + pause);
    pause = pause * 2;
  }
}

Status Join::become(const JoinAnswer& answer) {
  made_.genesis = answer.mesh->genesis;
  made_.peers = {reached_};
  const auto genesis = trust::decode_genesis(made_.genesis);
  const bool named = trust::hash(made_.genesis) == invite_.genesis_hash;
  const auto secret = trust::MeshSecret::from(answer.mesh->secret);
  if (!named || !genesis.ok() || !secret) {
    return join_error(
        ErrorCode::kBadSignature,
        "the inviter told of another mesh than the invite names; nothing was written: "
        "ask for a new invite");
  }
  std::copy(secret->view().begin(), secret->view().end(), made_.secret.data().begin());
  EBB_ASSIGN(made_.authority,
             verified_records(answer, *genesis, invite_.mesh(), identity_->device(),
                              trust::LinkKey{link_.public_part().data}, options_.now));
  return write_home(draft_->lock(), made_);
}

Result<Joined> Join::run() {
  EBB_RETURN_IF_ERROR(prepare());
  Result<JoinAnswer> answer = ask_anybody();
  // What was asked for may have been given, by this attempt or by one before.
  if (!answer.ok()) return answer.error();
  if (answer->refused) {
    if (says_not_certified(answer->refused->code)) draft_->forget();
    return refusal_error(*answer->refused, invite_, options_.now);
  }
  const Status made = become(*answer);
  erase_bytes(answer->mesh->secret);
  if (!made.ok() && made.error().code != ErrorCode::kBadSignature) return made.error();
  draft_->forget();
  if (!made.ok()) return made.error();
  return Joined{identity_->device(), answer->inviter, reached_, answer->round_trip};
}

}  // namespace

Result<Joined> join_mesh(const JoinOptions& options) {
  EBB_RETURN_IF_ERROR(trust::crypto_ready());
  return Join(options).run();
}

}  // namespace ebb::node
