#include "sim/host.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/check.h"
#include "core/limits.h"
#include "mesh/secure_channel.h"
#include "sim/convert.h"
#include "sim/heap_meter.h"
#include "sim/paper_mesh.h"
#include "sim/stand_in_channel.h"
#include "state/fold.h"
#include "trust/scope_hash.h"

namespace ebb::sim {
namespace {

// An engine that asks for this many ticks at one instant would keep a real loop busy for ever.
constexpr std::uint64_t kTicksAtOnceMax = 1000;

std::unique_ptr<StorageMedium> make_medium(const Host::Setup& setup) {
  return setup.real ? make_file_medium(setup.dir) : make_memory_medium(setup.folds);
}

channel::Key random_key(Rng& rng) {
  channel::Key key;
  for (std::size_t i = 0; i < channel::Key::kSize; ++i)
    key.data()[i] = static_cast<std::uint8_t>(rng.next());
  return key;
}

channel::AccessKeys link_access(const MeshId& mesh, const Bytes& secret) {
  channel::AccessKeys access;
  const auto known = trust::MeshSecret::from(secret);
  access.push_back(known ? channel::AccessKey::for_link(mesh, *known)
                         : channel::AccessKey::for_link(mesh));
  return access;
}

// Of the heap meter; 0 is nobody.
std::uint32_t owner_of(HostIndex host) { return host + 1; }

Instant whole_millisecond(Instant when) { return {(when.us + 999) / 1000 * 1000}; }

}  // namespace

Host::Host(const World& world, Setup setup, Rng rng)
    : world_(world),
      setup_(std::move(setup)),
      rng_(rng),
      clock_(world_.queue, setup_.wall_at_start),
      identity_(random_identity(rng_, setup_.real)),
      link_key_(setup_.real_channel ? random_key(rng_) : channel::Key{}),
      storage_(world_.queue, world_.observer, world_.counts,
               StoreThread::Setup{setup_.index, make_medium(setup_), setup_.mesh, identity_.get(),
                                  setup_.disk, setup_.built, [this] { return clock_.reading(); },
                                  setup_.quota},
               rng_.fork(), [this](mesh::Input input) { deliver(std::move(input)); }) {
  if (setup_.lies == nullptr) return;
  liar_ = std::make_unique<Liar>(*setup_.lies, *identity_, world_.counts, rng_.fork());
}

void Host::restore_backup() {
  storage_.restore_backup();
  restored_ = true;
  expect_rollback();
}

void Host::lose_disk() {
  storage_.erase();
  expect_rollback();
}

Status Host::start() {
  if (running()) return {};
  clock_.begin_life(microseconds(static_cast<std::int64_t>(rng_.below(1000000000))));
  if (setup_.next_scope) scope_ = setup_.next_scope();
  EBB_RETURN_IF_ERROR(storage_.open(restored_, trust::scope_hash(scope_)));
  restored_ = false;
  world_.observer.opened(setup_.index, *storage_.store());
  ++life_;
  timer_at_.reset();
  read_mark();
  {
    const HeapOwner owner(owner_of(setup_.index));
    make_channels();
    engine_ = std::make_unique<mesh::Engine>(config(), rng_.fork());
  }
  world_.network.host_up(setup_.index);
  world_.trace.note(world_.queue.now(), setup_.index, "started");
  deliver(mesh::Tick{});
  return {};
}

trust::LinkKey Host::link_key() const {
  if (!setup_.real_channel) return stand_in_link_key(identity_->device());
  return trust::LinkKey{channel::StaticKey(link_key_.copy()).public_part().data};
}

void Host::join(mesh::MembershipConfig membership, bool is_outsider) {
  membership_ = std::move(membership);
  membership_->link_key = link_key();
  membership_->label = "host " + std::to_string(setup_.index);
  outsider_ = is_outsider;
  if (membership_->issuer == nullptr) return;
  mark_.emplace(setup_.mesh, membership_->issuer->device(), membership_->given);
}

void Host::read_mark() {
  if (!mark_) return;
  const auto kept = storage_.store()->authority();
  EBB_CHECK(kept.ok());
  set_back_ = mark_->is_behind(kept->records, membership_->given);
  if (!set_back_) mark_->raise(kept->records);
}

// Of each life its own: the link key stays, as the identity does.
void Host::make_channels() {
  lying_channels_.reset();
  const trust::SignatureCheck& check =
      setup_.real ? real_check_ : static_cast<const trust::SignatureCheck&>(stand_in_check_);
  if (setup_.real_channel) {
    channels_.reset();
    access_ = std::make_unique<mesh::AccessBook>(link_access(setup_.mesh, setup_.secret));
    channels_ = std::make_unique<mesh::SecureChannels>(
        mesh::SecureSetup{*identity_, check, channel::StaticKey(link_key_.copy()), *access_,
                          [rng = rng_.fork()]() mutable { return random_key(rng); }});
  } else {
    channels_ = std::make_unique<StandInChannels>(setup_.mesh, setup_.secret, *identity_, check,
                                                  rng_.fork());
  }
  if (liar_ != nullptr) lying_channels_ = std::make_unique<LyingChannels>(*channels_, *liar_);
}

mesh::Config Host::config() const {
  const Storage& store = *storage_.store();
  mesh::Config config;
  config.self = identity_->device();
  config.mesh = setup_.mesh;
  config.fold_version = state::kFoldVersion;
  config.epoch = store.epoch();
  config.arrival_head = store.arrival_head();
  config.listen_port = Network::kPort;
  config.advertise = world_.network.current_address(setup_.index);
  config.peers = setup_.peers;
  for (const store::HeadRecord& head : store.heads())
    config.heads.push_back(stored_head(head));
  for (const store::CursorUpdate& cursor : store.cursors()) {
    config.cursors.emplace_back(cursor.peer, codec::Cursor{cursor.epoch, cursor.arrival});
  }
  for (const store::PeerRow& peer : store.peers())
    config.known_peers.push_back({peer.device, peer.address, peer.last_heard});
  const auto presences = store.presences();
  EBB_CHECK(presences.ok());
  for (const store::PresenceRow& row : *presences)
    config.presences.push_back({row.device, row.hlc, row.said});
  config.incarnation = store.incarnation();
  if (membership_) {
    config.membership = membership_;
    auto kept = store.authority();
    EBB_CHECK(kept.ok());
    config.membership->stored = std::move(kept->records);
    config.membership->missing = std::move(*kept->missing);
    config.membership->floors = *kept->floors;
    config.membership->set_back = set_back_;
    if (mark_) config.membership->signed_to = mark_->end();
  }
  config.built = setup_.built;
  config.scope = scope_;
  config.link_classes = setup_.link_classes;
  config.metered = setup_.metered;
  config.clock_suspect = storage_.clock_is_suspect();
  const RareOptions& rare = setup_.rare;
  config.tuning = rare.tuning;
  config.tuning.wire_version = setup_.wire_version;
  config.ping_idle = rare.ping_idle;
  config.dead_after = rare.dead_after;
  config.handshake_timeout = rare.handshake_timeout;
  config.dial_backoff_max = rare.dial_backoff_max;
  config.gossip_interval = rare.gossip_interval;
  config.shuffle_interval = rare.shuffle_interval;
  config.have_batch = rare.have_batch;
  config.have_batch_max = rare.have_batch_max;
  config.refresh_interval = rare.refresh_interval;
  if (!setup_.real) config.signatures = &stand_in_check_;
  config.channels = lying_channels_ != nullptr ? lying_channels_.get() : channels_.get();
  return config;
}

void Host::stop(StopKind kind) {
  if (!running()) return;
  world_.trace.note(world_.queue.now(), setup_.index,
                    kind == StopKind::kClean  ? "stopped"
                    : kind == StopKind::kKill ? "killed"
                                              : "power lost");
  if (kind == StopKind::kClean) resume();
  paused_ = false;
  inbox_.clear();
  world_.network.set_reading(setup_.index, true);
  if (kind == StopKind::kClean) deliver(mesh::Shutdown{});
  world_.network.host_down(setup_.index, kind == StopKind::kPowerLoss);
  engine_.reset();
  if (kind == StopKind::kClean) {
    storage_.close();
  } else {
    storage_.kill(kind == StopKind::kPowerLoss);
  }
}

void Host::append(store::AppendBatch batch) {
  if (running()) storage_.append(std::move(batch));
}

void Host::address_changed() {
  deliver(mesh::AddressesChanged{{world_.network.current_address(setup_.index)}});
}

void Host::pause() {
  if (!running() || paused_) return;
  paused_ = true;
  world_.network.set_reading(setup_.index, false);
}

void Host::resume() {
  if (!paused_) return;
  paused_ = false;
  while (!inbox_.empty() && running() && !paused_) {
    mesh::Input input = std::move(inbox_.front());
    inbox_.pop_front();
    deliver(std::move(input));
  }
  world_.network.set_reading(setup_.index, true);
  timer();
}

void Host::deliver(mesh::Input input) {
  if (!running()) return;
  if (paused_) {
    inbox_.push_back(std::move(input));
    return;
  }
  const auto* committed = std::get_if<mesh::Committed>(&input);
  if (mark_ && committed != nullptr) mark_->answered(*committed);
  std::optional<Bytes> datagram;
  if (const auto* came = std::get_if<mesh::Datagram>(&input)) datagram = came->bytes;
  const std::uint64_t opened = engine_->counters().datagrams_opened;
  std::optional<mesh::LinkId> stream;
  if (const auto* bytes = std::get_if<mesh::StreamBytes>(&input)) stream = bytes->link;
  world_.trace.begin_step(world_.queue.now(), setup_.index, life_, input);
  mesh::Effects effects;
  {
    const HeapOwner owner(owner_of(setup_.index));
    engine_->handle(clock_.monotonic(), clock_.wall(), std::move(input), effects);
  }
  world_.trace.end_step(effects);
  if (datagram && engine_->counters().datagrams_opened != opened) {
    world_.observer.datagram_taken(setup_.index, *datagram);
  }
  perform(effects);
  arm();
  if (stream) check_flip(*stream);
  world_.observer.stepped(setup_.index);
}

std::int64_t Host::heap_bytes() const { return sim::heap_bytes(owner_of(setup_.index)); }

void Host::perform(mesh::Effects& effects) {
  for (mesh::Send& effect : effects.sends) {
    world_.network.send(setup_.index, effect.link, std::move(effect.bytes), effect.report);
  }
  for (mesh::SendDatagram& effect : effects.datagrams) {
    if (effect.bytes.size() > limits::kDatagramBytes) {
      world_.observer.trouble(setup_.index, "the engine sends a datagram over the limit");
    }
    world_.observer.datagram_sent(setup_.index, effect.bytes);
    if (liar_ != nullptr) effect.bytes = liar_->bend_datagram(effect.bytes);
    world_.observer.datagram_left(effect.bytes);
    world_.network.send_datagram(setup_.index, effect.to, std::move(effect.bytes));
  }
  for (const mesh::Dial& effect : effects.dials) {
    if ((effect.link.value & mesh::kInboundBit) != 0) {
      world_.observer.trouble(setup_.index, "the engine dials with the id of an inbound link");
    }
    world_.network.dial(setup_.index, effect.link, effect.address);
  }
  for (const mesh::Notice& effect : effects.notices) {
    if (effect.kind != mesh::NoticeKind::kSetBackFound) continue;
    ++set_backs_found_;
    world_.observer.epoch_doubted(setup_.index, storage_.is_committing());
    storage_.take_epoch();
  }
  for (mesh::Commit& effect : effects.commits) {
    if (mark_) mark_->note(effect);
    storage_.commit(std::move(effect));
  }
  for (const mesh::WriteRecord& effect : effects.records)
    storage_.append(record_batch(effect));
  for (const mesh::Read& effect : effects.reads)
    storage_.read(effect);
  for (const mesh::Close& effect : effects.closes) {
    world_.network.close(setup_.index, effect.link);
  }
  for (const mesh::PeerClockMoved& effect : effects.clocks)
    storage_.hear_peers(effect.clock);
  judge(effects);
  for (const mesh::Notice& effect : effects.notices) {
    if (effect.kind != mesh::NoticeKind::kRollbackFound) continue;
    ++rollbacks_found_;
    storage_.begin_incarnation();
  }
}

void Host::arm() {
  const std::optional<Instant> deadline = engine_->next_deadline();
  if (!deadline) return;
  const Instant when =
      std::max(whole_millisecond(clock_.to_simulation(*deadline)), world_.queue.now());
  // A timer that fires early finds nothing due and arms itself again.
  if (timer_at_ && *timer_at_ <= when) return;
  timer_at_ = when;
  ++timer_generation_;
  world_.queue.at(when, [this, generation = timer_generation_] {
    if (generation != timer_generation_ || !running()) return;
    // resume() makes up for it.
    if (paused_) return timer_at_.reset();
    timer_at_.reset();
    timer();
  });
}

void Host::timer() {
  const std::optional<Instant> deadline = engine_->next_deadline();
  if (!deadline || *deadline > clock_.monotonic()) return arm();
  const Instant now = world_.queue.now();
  ticks_at_once_ = now == last_tick_ ? ticks_at_once_ + 1 : 0;
  last_tick_ = now;
  if (ticks_at_once_ > kTicksAtOnceMax) {
    world_.observer.trouble(setup_.index, "the engine asks for the same tick again and again");
    return;
  }
  deliver(mesh::Tick{});
}

}  // namespace ebb::sim
