#include "sim/lockstep.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "core/check.h"

namespace ebb::sim {
namespace {

constexpr Instant kNever{std::numeric_limits<std::int64_t>::max()};
// Fewer hosts than that are done before another thread has seen them.
constexpr std::size_t kTogether = 4;

}  // namespace

Lockstep::Lockstep(EventQueue& network_queue, Network& network, LaneListener& listener,
                   Duration width, std::size_t threads)
    : network_queue_(network_queue),
      network_(network),
      listener_(listener),
      width_(width),
      pool_(threads) {
  EBB_CHECK(width > Duration{});
}

Lane& Lockstep::add_lane(Lane::Sink sink) {
  lanes_.push_back(std::make_unique<Lane>(network_, std::move(sink)));
  armed_.push_back(kNever);
  return *lanes_.back();
}

void Lockstep::arm(HostIndex host, std::optional<Instant> when) {
  if (!when || armed_[host] <= *when) return;
  armed_[host] = *when;
  dues_.push_back({*when, host});
  std::push_heap(dues_.begin(), dues_.end(), later);
}

void Lockstep::deliver(HostIndex host, mesh::Input input) {
  const Instant at = std::max(network_queue_.now(), now_);
  lanes_[host]->push(at, std::move(input));
  arm(host, at);
}

std::optional<Instant> Lockstep::earliest() {
  while (!dues_.empty() && dues_.front().at != armed_[dues_.front().host]) {
    std::pop_heap(dues_.begin(), dues_.end(), later);
    dues_.pop_back();
  }
  const std::optional<Instant> network = network_queue_.next();
  if (dues_.empty()) return network;
  return network ? std::min(*network, dues_.front().at) : dues_.front().at;
}

void Lockstep::run_until(Instant limit) {
  for (auto next = earliest(); next && *next < limit; next = earliest())
    run_window(std::min(std::max(*next, now_) + width_, limit));
  now_ = std::max(now_, limit);
  network_queue_.set_now(now_);
}

void Lockstep::run_window(Instant end) {
  while (network_queue_.run_next(end - microseconds(1))) {
  }
  active_.clear();
  while (!dues_.empty() && dues_.front().at < end) {
    const Due due = dues_.front();
    std::pop_heap(dues_.begin(), dues_.end(), later);
    dues_.pop_back();
    if (armed_[due.host] != due.at) continue;
    armed_[due.host] = kNever;
    active_.push_back(due.host);
  }
  const auto run = [this, end](std::size_t i) { lanes_[active_[i]]->run_until(end); };
  if (active_.size() < kTogether) {
    for (std::size_t i = 0; i < active_.size(); ++i)
      run(i);
  } else {
    pool_.each(active_.size(), run);
  }
  carry_out_all();
  now_ = end;
}

void Lockstep::carry_out_all() {
  order_.clear();
  for (const HostIndex host : active_) {
    const std::vector<Call>& calls = lanes_[host]->calls();
    for (std::uint32_t index = 0; index < calls.size(); ++index)
      order_.push_back({calls[index].at, host, index});
  }
  std::sort(order_.begin(), order_.end(), [](const Position& a, const Position& b) {
    return std::tie(a.at, a.host, a.index) < std::tie(b.at, b.host, b.index);
  });
  for (const Position& position : order_)
    carry_out(position.host, lanes_[position.host]->calls()[position.index]);
  for (const HostIndex host : active_) {
    lanes_[host]->settle();
    arm(host, lanes_[host]->next());
  }
}

void Lockstep::carry_out(HostIndex host, Call& call) {
  network_queue_.set_now(call.at);
  switch (call.kind) {
    case Call::Kind::kDial:
      return network_.dial(host, call.link, call.text);
    case Call::Kind::kSend:
      return network_.send(host, call.link, std::move(call.bytes), call.flag);
    case Call::Kind::kSendDatagram:
      return network_.send_datagram(host, call.text, std::move(call.bytes));
    case Call::Kind::kClose:
      return network_.close(host, call.link);
    case Call::Kind::kUp:
      return network_.host_up(host);
    case Call::Kind::kDown:
      return network_.host_down(host, call.flag);
    case Call::Kind::kSetReading:
      return network_.set_reading(host, call.flag);
    case Call::Kind::kCommitted:
      return listener_.committed(call.at, host, call.spans);
    case Call::Kind::kTrouble:
      return listener_.trouble(host, call.text);
  }
}

void Lockstep::each(const std::function<void(HostIndex)>& work) {
  pool_.each(lanes_.size(), [&](std::size_t i) { work(static_cast<HostIndex>(i)); });
}

void Lockstep::act(HostIndex host, const std::function<void()>& action) {
  Lane& lane = *lanes_[host];
  lane.queue().set_now(std::max(lane.queue().now(), now_));
  action();
  for (Call& call : lane.calls())
    carry_out(host, call);
  lane.settle();
  arm(host, lane.next());
}

}  // namespace ebb::sim
