#include "node/join_client.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/data_directory.h"
#include "core/limits.h"
#include "node/clocks.h"
#include "node/config.h"
#include "node/config_keys.h"
#include "node/files.h"
#include "node/home.h"
#include "node/join_talk.h"
#include "node/join_words.h"
#include "node/resolver.h"
#include "trust/authority.h"
#include "trust/genesis.h"
#include "trust/hash.h"
#include "trust/invite.h"

namespace ebb::node {
namespace {

constexpr Duration kConnectTime = seconds(5);
constexpr Duration kFirstPause = milliseconds(500);
// Between two questions to who was told "later", so that many take turns.
constexpr std::int64_t kLaterMs = 500;
constexpr std::uint64_t kLaterSpreadMs = 1000;

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
    bool over = false;           // there is no other
    bool silent = false;         // somebody was there who said nothing
    std::string tried;           // by the last
    std::optional<Error> later;  // who was there told to ask again, in the last
  };
  Result<JoinAnswer> ask_each(Trouble& trouble);
  Result<JoinAnswer> ask_anybody();
  Status become(const JoinAnswer& answer);
  void note_address() const;
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
  EBB_ASSIGN(invite_, read_invite(options_.line, options_.now, options_.built));
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

Result<JoinAnswer> Join::ask_each(Trouble& trouble) {
  trouble.tried.clear();
  trouble.later.reset();
  for (const std::string& address : invite_.addresses) {
    Result<JoinAnswer> answer = ask_at(address);
    if (answer.ok()) {
      reached_ = address;
      const auto& refused = answer->refused;
      if (!refused || refused->code != codec::AuthRefusal::kLater) return answer;
      // It would say the same at its other addresses.
      trouble.later = refusal_error(*refused, invite_, options_.now);
      tell(address + ": it has too much to do (" + refused->text + ")");
      return *trouble.later;
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
  return unreached_error(trouble.tried);
}

// Who has too much to do says so, or is silent as who does not know the invite: it is asked again
// for a while.
Result<JoinAnswer> Join::ask_anybody() {
  const Instant end = monotonic_now() + options_.patience;
  Duration longer = kFirstPause;
  Trouble trouble;
  bool was_there = false;
  while (true) {
    Result<JoinAnswer> answer = ask_each(trouble);
    was_there = was_there || trouble.silent || trouble.later;
    if (answer.ok() || trouble.over || !was_there) return answer;
    Duration pause = longer;
    if (trouble.later) {
      pause = milliseconds(kLaterMs +
                           static_cast<std::int64_t>(trust::random_u64() % (kLaterSpreadMs + 1)));
    } else {
      longer = longer * 2;
    }
    if (monotonic_now() + pause >= end) {
      return trouble.later ? *trouble.later : unheard_error(trouble.tried);
    }
    tell("asking again in " + std::to_string((pause.ms() + 999) / 1000) + " s");
    JoinStream::wait_until(monotonic_now() + pause);
  }
}

// Where the directory has a configuration already, as far as that can be edited.
void Join::note_address() const {
  const std::string config = home_paths(options_.dir).config;
  if (!file_exists(config)) return;
  if (const Status saved = save_peer(config, reached_); !saved.ok()) tell(words_of(saved.error()));
}

Status Join::become(const JoinAnswer& answer) {
  made_.genesis = answer.mesh->genesis;
  made_.peers = {reached_};
  const auto genesis = trust::decode_genesis(made_.genesis);
  const bool named = trust::hash(made_.genesis) == invite_.genesis_hash;
  const std::optional<trust::MeshSecret>& secret = answer.mesh->secret;
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
  note_address();
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
