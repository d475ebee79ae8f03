#include "node/node.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include "core/limits.h"
#include "node/address.h"
#include "node/clocks.h"
#include "node/link_channels.h"
#include "node/log.h"
#include "node/node_impl.h"
#include "node/own_addresses.h"
#include "state/fold.h"
#include "store/store.h"
#include "trust/hash.h"
#include "trust/scope_hash.h"

namespace ebb::node {
namespace {

constexpr std::uint64_t kPageBytes = 4096;
// Turns of the loop after the last answer, in which the rooms above pass it on.
constexpr int kLastTurns = 16;
constexpr Duration kAddressesPause = seconds(30);  // between two looks at the interfaces

Histogram histogram(std::vector<double> bounds) {
  Histogram made;
  made.counts.resize(bounds.size() + 1);
  made.bounds = std::move(bounds);
  return made;
}

NodeCounters fresh_counters() {
  NodeCounters counters;
  counters.commit_seconds =
      histogram({0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5});
  counters.commit_events = histogram({0, 1, 2, 5, 10, 50, 100, 500, 1000, 5000, 10000, 50000});
  counters.convergence_seconds = histogram({0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                            1, 2.5, 5, 10, 30, 60, 300, 3600, 86400});
  return counters;
}

store::StoreOptions store_options(const Home& home, const Config& config) {
  store::StoreOptions options;
  options.dir = home.paths.store;
  options.mesh = home.mesh;
  options.random = trust::random_u64;
  options.now = clock_reading();
  options.built = config.built;
  options.scope = trust::scope_hash(config.scope);
  // Up, or the smallest budgets would be none.
  const auto budget = static_cast<std::uint64_t>(config.disk_budget_bytes);
  options.page_count_max = budget / kPageBytes + (budget % kPageBytes > 0 ? 1 : 0);
  return options;
}

const trust::SignatureCheck& signature_check() {
  static const trust::SignatureCheck check;
  return check;
}

}  // namespace

void Histogram::observe(double value) {
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin();
  counts.resize(bounds.size() + 1);
  ++counts[static_cast<std::size_t>(bucket)];
  sum += value;
  ++count;
}

Node::Impl::Impl(Home home_in, Config config_in, std::unique_ptr<Loop> loop_in)
    : home(std::move(home_in)),
      config(std::move(config_in)),
      started(monotonic_now()),
      loop(std::move(loop_in)),
      inbox(loop->get()),
      stop_wanted(loop->get(), [this] { begin_stop(); }),
      readers(loop->get(), home.paths.store),
      issuing_timer(loop->get(), [this] { retry_issuing(); }),
      invites_timer(loop->get(), [this] { watch_invites(); }),
      driver(loop->get(), {[this](mesh::Commit made) { commit(std::move(made)); },
                           [this](const mesh::Read& read) { on_read(read); },
                           [this] { on_rollback_found(); }, [this] { take_epoch(); },
                           [this](std::optional<PeerClock> heard) { on_peer_clock(heard); },
                           [this](mesh::WriteRecord record) { on_record(std::move(record)); },
                           [this](const mesh::InviteUsed& used) { on_invite_used(used); },
                           [this](mesh::Issued issued) { on_issued(std::move(issued)); },
                           [this] { finish_stop(); }}),
      counters(fresh_counters()),
      commit_timer(loop->get(), [this] { retry_commit(); }),
      incarnation_timer(loop->get(), [this] { begin_incarnation(); }),
      // The store has not forgotten that one is wanted: any commit takes it.
      epoch_timer(loop->get(), [this] { store->commit_kept(); }),
      addresses_timer(loop->get(), [this] { watch_addresses(); }),
      state_flush(loop->get(), [this](StateFlush::Done done) {
        ++counters.state_flushes;
        store->run_writing([done = std::move(done)](store::Store& opened) -> StoreThread::Answer {
          return [done, flushed = opened.flush_state(monotonic_now(), true)] { done(flushed); };
        });
      }) {}

Status Node::Impl::start() {
  EBB_RETURN_IF_ERROR(make_channels());
  EBB_ASSIGN(invites, Invites::open(home.paths.invites));
  access->set_invites(home.mesh, invites.access());
  EBB_ASSIGN(std::unique_ptr<store::Store> opened,
             store::Store::open(store_options(home, config), *home.identity));
  if (!config.offline()) EBB_RETURN_IF_ERROR(bind());
  epoch = opened->epoch();
  incarnation = opened->incarnation();
  clock = opened->clock_judge();
  for (const auto* found : {&opened->fold_damage(), &opened->presence_damage()}) {
    for (const Error& damage : *found)
      note_store_error(damage);
  }
  for (store::HeadRecord& head : opened->heads())
    heads.emplace(head.log, std::move(head));
  note_clock();
  if (home.issuer != nullptr) {
    issuer_mark = IssuerMark(home.paths.issuer_mark, home.mesh, home.issuer->device(), wall_now());
  }
  EBB_ASSIGN(mesh::Config engine_config, engine_config_of(*opened));
  addresses = engine_config.addresses;
  if (!engine_config.membership->set_back) {
    EBB_RETURN_IF_ERROR(issuer_mark.raise(engine_config.membership->stored));
  }
  store = std::make_unique<StoreThread>(
      std::move(opened), inbox,
      StoreThread::Reports{[this](CommitReport report) { on_committed(std::move(report)); },
                           [this] { ++counters.merges; },
                           [this](const char* chore, const Error& error) {
                             note_store_error(error);
                             log_limited(LogLevel::kError, "store_chore_failed",
                                         {{"chore", chore}, {"error", error.message()}});
                           }});
  driver.start(std::move(engine_config), Rng(trust::random_u64()));
  watch_invites();
  if (bound && bound->is_any()) addresses_timer.start(kAddressesPause);
  start_beacon();
  log(LogLevel::kInfo, "started",
      {{"device", device_text(home.identity->device())},
       {"listen", bound ? bound->text() : config.listen},
       {"mesh", to_hex(home.mesh.view())}});
  return {};
}

// The engine's own generator is none for keys, so the system gives them.
Status Node::Impl::make_channels() {
  bool made = false;
  EBB_ASSIGN(const KeyBytes secret_key, load_link_key(home.paths, made));
  channel::StaticKey own_key(*channel::Key::from(secret_key.view()));
  link_key.data = own_key.public_part().data;
  if (made) {
    log(LogLevel::kWarn, "link_key_made",
        {{"path", home.paths.link_key},
         {"text",
          "a new link key was made: this device is certified for it at its next contact with an "
          "issuer"}});
  }
  channel::AccessKeys links;
  links.push_back(channel::AccessKey::for_link(home.mesh, home.secret));
  access = std::make_unique<mesh::AccessBook>(std::move(links));
  channels = make_link_channels(
      mesh::SecureSetup{*home.identity, signature_check(), std::move(own_key), *access, [] {
                          channel::Key key;
                          trust::random_bytes(key.data(), channel::Key::kSize);
                          return key;
                        }});
  return {};
}

Result<mesh::Config> Node::Impl::engine_config_of(const store::Store& opened) const {
  mesh::Config wanted;
  wanted.self = home.identity->device();
  wanted.channels = channels.get();
  wanted.mesh = home.mesh;
  wanted.fold_version = state::kFoldVersion;
  wanted.epoch = opened.epoch();
  wanted.arrival_head = opened.arrival_head();
  if (bound) {
    wanted.listen_port = bound->port();
    wanted.presence_stands = config.presence_stands;
    wanted.addresses = told_addresses();
    wanted.local_only = bound->is_loopback();
    if (!wanted.addresses.empty()) wanted.advertise = wanted.addresses.front();
    wanted.peers = config.peers;
    for (const store::PeerRow& peer : opened.peers())
      wanted.known_peers.push_back({peer.device, peer.address, peer.last_heard});
    EBB_ASSIGN(const std::vector<store::PresenceRow> presences, opened.presences());
    for (const store::PresenceRow& row : presences)
      wanted.presences.push_back(held_presence(row));
  }
  wanted.incarnation = opened.incarnation();
  EBB_ASSIGN(store::AuthorityRows authority, opened.authority());
  wanted.membership = membership();
  wanted.membership->set_back = find_set_back(authority.records);
  wanted.membership->signed_to = issuer_mark.end();
  wanted.membership->stored = std::move(authority.records);
  wanted.membership->missing = std::move(*authority.missing);
  wanted.membership->floors = *authority.floors;
  wanted.built = config.built;
  wanted.clock_suspect = clock_suspect;
  for (const auto& [log, head] : heads)
    wanted.heads.push_back(stored_head(head));
  wanted.metered = !config.link_class.empty();
  wanted.scope = config.scope;
  wanted.relay = config.relay;
  wanted.link_classes = config.link_classes;
  wanted.topics.insert(config.topics.begin(), config.topics.end());
  for (const store::LinkBudgetRow& row : opened.link_budgets())
    wanted.budgets.push_back({row.link_class, row.day, row.bytes});
  for (const store::CursorUpdate& cursor : opened.cursors())
    wanted.cursors.push_back({cursor.peer, {cursor.epoch, cursor.arrival}});
  return wanted;
}

std::vector<std::string> Node::Impl::told_addresses() const {
  return config.advertise.empty() ? own_addresses(*bound) : config.advertise;
}

// Interfaces come and go; where one address was configured it stays.
void Node::Impl::watch_addresses() {
  std::vector<std::string> found = told_addresses();
  if (found != addresses) {
    addresses = std::move(found);
    driver.feed(mesh::AddressesChanged{addresses});
  }
  addresses_timer.start(kAddressesPause);
}

Status Node::Impl::bind() {
  EBB_ASSIGN(bound, driver.bind(config.listen, !config.listen_configured));
  if (config.listen_configured) return {};
  config.listen = bound->text();
  const Status saved = save_listen(home.paths.config, config.listen);
  if (!saved.ok()) {
    // The node works; but its peers may look for it in vain after the next start.
    log(LogLevel::kWarn, "listen_not_saved", {{"error", saved.error().message()}});
  }
  return {};
}

// Nobody is to be found where only programs of this machine can link.
void Node::Impl::start_beacon() {
  if (!config.beacon || !bound || bound->is_loopback()) return;
  beacon = std::make_unique<LanBeacon>(
      loop->get(),
      LanBeacon::Setup{
          channel::AccessKey::for_beacon(home.mesh, home.secret), *bound, limits::kBeaconPort,
          local_networks,
          [this](std::string address) { driver.feed(mesh::AddressHeard{std::move(address)}); },
          counters.beacons},
      Rng(trust::random_u64()));
  const Status begun = beacon->start();
  if (begun.ok()) return;
  // It goes on trying.
  log_limited(LogLevel::kWarn, "no_beacon", {{"error", begun.error().message()}});
}

void Node::Impl::begin_stop() {
  if (stopping) return;
  stopping = true;
  log(LogLevel::kInfo, "stopping");
  incarnation_timer.stop();
  epoch_timer.stop();
  commit_timer.stop();
  addresses_timer.stop();
  if (beacon != nullptr) beacon->stop();
  issuing_timer.stop();
  invites_timer.stop();
  release_held(stopping_error());
  end_issuing();
  state_flush.stop();
  readers.cancel_queries();
  driver.shut_down();
  store->stop([this] {
    store_stopped = true;
    finish_stop();
  });
}

void Node::Impl::finish_stop() {
  if (!store_stopped || stopped || !driver.idle() || !readers.idle()) return;
  stopped = true;
  uv_stop(loop->get());
}

Result<std::unique_ptr<Node>> Node::start(Home home, Config config) {
  // A peer that goes away while it is written to is an error of that link, not of the process.
  std::signal(SIGPIPE, SIG_IGN);
  EBB_ASSIGN(std::unique_ptr<Loop> loop, Loop::open());
  auto impl = std::make_unique<Impl>(std::move(home), std::move(config), std::move(loop));
  EBB_RETURN_IF_ERROR(impl->start());
  return std::unique_ptr<Node>(new Node(std::move(impl)));
}

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Node::~Node() {
  if (impl_->stopped) return;
  impl_->begin_stop();
  run();
}

void Node::run() {
  uv_loop_t* loop = impl_->loop->get();
  while (!impl_->stopped)
    uv_run(loop, UV_RUN_DEFAULT);
  for (int i = 0; i < kLastTurns; ++i)
    uv_run(loop, UV_RUN_NOWAIT);
}

void Node::request_stop() noexcept { impl_->stop_wanted.send(); }

Status Node::add_peer(const std::string& address) {
  if (impl_->config.offline()) {
    return Error{ErrorCode::kPermission, "peer",
                 "this node has listen = \"off\" and dials nobody: start it with an address"};
  }
  EBB_ASSIGN([[maybe_unused]] const HostPort parsed, parse_peer_address(address));
  impl_->driver.feed(mesh::AddPeer{address});
  return {};
}

std::unique_ptr<Node::Watch> Node::watch_readable(int fd, std::function<void()> ready) {
  struct PollWatch : Watch {
    std::unique_ptr<Poll> poll;
  };
  auto watch = std::make_unique<PollWatch>();
  Result<std::unique_ptr<Poll>> poll = Poll::start(impl_->loop->get(), fd, std::move(ready));
  EBB_CHECK(poll.ok());
  watch->poll = std::move(poll).value();
  return watch;
}

std::unique_ptr<Node::Watch> Node::call_after(Duration delay, std::function<void()> expired) {
  struct TimerWatch : Watch {
    TimerWatch(uv_loop_t* loop, std::function<void()> expired_in)
        : timer(loop, std::move(expired_in)) {}
    Timer timer;
  };
  auto watch = std::make_unique<TimerWatch>(impl_->loop->get(), std::move(expired));
  watch->timer.start(delay);
  return watch;
}

}  // namespace ebb::node
