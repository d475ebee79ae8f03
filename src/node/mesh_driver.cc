#include "node/mesh_driver.h"

#include <utility>

#include "node/clocks.h"
#include "node/log.h"

namespace ebb::node {
namespace {

constexpr int kPortsTried = 100;

std::string link_text(mesh::LinkId link) {
  const bool inbound = (link.value & mesh::kInboundBit) != 0;
  return (inbound ? "in-" : "out-") + std::to_string(link.value & ~mesh::kInboundBit);
}

std::string peer_text(const std::optional<DeviceId>& peer) {
  return peer ? device_short(*peer) : "";
}

void log_reconciliation(const mesh::Reconciliation& row) {
  log_limited(LogLevel::kInfo, "reconciliation",
              {{"reconciliation", to_hex(row.id.view())},
               {"peer", device_short(row.peer)},
               {"kind", std::string(row.kind)},
               {"outcome", std::string(row.outcome)},
               {"events_in", std::to_string(row.events_in)},
               {"events_out", std::to_string(row.events_out)},
               {"bytes_in", std::to_string(row.bytes_in)},
               {"bytes_out", std::to_string(row.bytes_out)},
               {"ms", std::to_string(row.duration.ms())}});
}

// Strangers have lines of their own, or they could fill those that tell of peers.
void log_fault(const mesh::PeerFault& fault) {
  log_limited(LogLevel::kWarn, fault.peer ? "peer_fault" : "stranger_fault",
              {{"link", link_text(fault.link)},
               {"peer", peer_text(fault.peer)},
               {"reason", std::string(fault.reason)},
               {"detail", fault.detail}});
}

struct NoticeName {
  LogLevel level;
  std::string_view name;
};

NoticeName notice_name(mesh::NoticeKind kind) {
  switch (kind) {
    case mesh::NoticeKind::kLinkEstablished:
      return {LogLevel::kInfo, "link_up"};
    case mesh::NoticeKind::kLinkClosed:
      return {LogLevel::kInfo, "link_down"};
    case mesh::NoticeKind::kRefused:
      return {LogLevel::kWarn, "refused"};
    case mesh::NoticeKind::kUnanswered:
      return {LogLevel::kWarn, "unanswered"};
    case mesh::NoticeKind::kForkSuspected:
      return {LogLevel::kError, "fork_suspected"};
    case mesh::NoticeKind::kRollbackFound:
      return {LogLevel::kError, "rollback_found"};
    case mesh::NoticeKind::kSetBackFound:
      return {LogLevel::kError, "set_back_found"};
    case mesh::NoticeKind::kLogCapped:
      return {LogLevel::kWarn, "log_capped"};
    case mesh::NoticeKind::kLogRefused:
      return {LogLevel::kWarn, "log_refused"};
    case mesh::NoticeKind::kOverQuota:
      return {LogLevel::kWarn, "over_quota"};
    case mesh::NoticeKind::kNotAdmitted:
      return {LogLevel::kWarn, "not_admitted"};
    case mesh::NoticeKind::kAuthorRefused:
      return {LogLevel::kWarn, "author_refused"};
    case mesh::NoticeKind::kTrustClock:
      return {LogLevel::kWarn, "trust_clock"};
  }
  return {LogLevel::kWarn, "notice"};
}

}  // namespace

MeshDriver::MeshDriver(uv_loop_t* loop, Ports ports)
    : ports_(std::move(ports)),
      resolver_(loop),
      links_(loop, resolver_, [this](mesh::Input input) { feed(std::move(input)); }),
      udp_(loop, resolver_, [this](mesh::Input input) { feed(std::move(input)); }),
      deadline_(loop,
                [this] {
                  armed_for_.reset();
                  feed(mesh::Tick{});
                }),
      minute_(loop, [this] { tell_time(); }) {
  links_.on_ended([this] { ports_.link_ended(); });
}

Result<Endpoint> MeshDriver::bind(const std::string& listen, bool next_free) {
  EBB_ASSIGN(Endpoint wanted, Resolver::resolve_now(listen));
  Endpoint bound;
  // Port 0 gives a free TCP port, whose UDP twin may be taken; then another one is asked for.
  const bool any = wanted.port() == 0;
  const int tries = next_free || any ? kPortsTried : 1;
  Status status;
  for (int i = 0; i < tries; ++i) {
    status = bind_both(wanted, bound);
    if (status.ok()) return bound;
    if (status.error().context != "port in use" || wanted.port() == UINT16_MAX) break;
    if (!any) wanted.set_port(static_cast<std::uint16_t>(wanted.port() + 1));
  }
  return status.error();
}

Status MeshDriver::bind_both(const Endpoint& endpoint, Endpoint& bound) {
  EBB_ASSIGN(bound, links_.listen(endpoint));
  Status udp = udp_.bind(bound);
  if (!udp.ok()) links_.stop_listening();
  return udp;
}

void MeshDriver::start(mesh::Config config, Rng rng) {
  EBB_CHECK(engine_ == nullptr);
  config.half_open = links_.room().half_open;
  const bool hour_matters = !config.link_classes.empty();
  engine_ = std::make_unique<mesh::Engine>(std::move(config), rng);
  if (hour_matters) tell_time();
  feed(mesh::Tick{});
}

void MeshDriver::tell_time() {
  feed(local_now());
  minute_.start(until_next_minute());
}

void MeshDriver::feed(mesh::Input input) {
  inputs_.push_back(std::move(input));
  if (feeding_) return;
  feeding_ = true;
  while (!inputs_.empty()) {
    mesh::Input next = std::move(inputs_.front());
    inputs_.pop_front();
    mesh::Effects effects;
    engine_->handle(monotonic_now(), wall_now(), std::move(next), effects);
    apply(effects);
  }
  feeding_ = false;
  arm_timer();
}

// Disk first, since it takes longest; closes behind sends, which may be their reason.
void MeshDriver::apply(mesh::Effects& effects) {
  // Nothing may be given a number of an epoch that is in doubt.
  for (const mesh::Notice& notice : effects.notices) {
    if (notice.kind == mesh::NoticeKind::kSetBackFound) ports_.set_back_found();
  }
  for (const mesh::InviteUsed& used : effects.invites)
    ports_.invite_used(used);
  for (mesh::Commit& commit : effects.commits) {
    for (const mesh::Reconciliation& row : commit.reconciliations)
      log_reconciliation(row);
    ports_.commit(std::move(commit));
  }
  for (mesh::WriteRecord& record : effects.records)
    ports_.write_record(std::move(record));
  for (mesh::Send& send : effects.sends)
    links_.send(send.link, std::move(send.bytes), send.report);
  for (mesh::Read& read : effects.reads)
    ports_.read(read);
  for (mesh::SendDatagram& datagram : effects.datagrams)
    udp_.send(datagram.to, std::move(datagram.bytes));
  for (const mesh::PeerFault& fault : effects.faults)
    log_fault(fault);
  for (const mesh::Notice& notice : effects.notices)
    apply_notice(notice);
  for (mesh::Issued& issued : effects.issued)
    ports_.issued(std::move(issued));
  for (const mesh::PeerClockMoved& moved : effects.clocks)
    ports_.clock_moved(moved.clock);
  for (const mesh::Close& close : effects.closes)
    links_.close(close.link, close.reason);
  for (const mesh::Dial& dial : effects.dials)
    links_.dial(dial.link, dial.address);
}

void MeshDriver::apply_notice(const mesh::Notice& notice) {
  const NoticeName named = notice_name(notice.kind);
  log_limited(
      named.level, named.name,
      {{"link", link_text(notice.link)}, {"peer", peer_text(notice.peer)}, {"text", notice.text}});
  if (notice.kind == mesh::NoticeKind::kRollbackFound) ports_.rollback_found();
}

void MeshDriver::arm_timer() {
  const std::optional<Instant> deadline = engine_->next_deadline();
  if (deadline == armed_for_) return;
  armed_for_ = deadline;
  if (!deadline) return deadline_.stop();
  deadline_.start(*deadline - monotonic_now());
}

void MeshDriver::shut_down() {
  links_.stop_listening();
  if (engine_ != nullptr) feed(mesh::Shutdown{});
  links_.close_all("shutting down");
  udp_.close();
  deadline_.stop();
  minute_.stop();
}

}  // namespace ebb::node
