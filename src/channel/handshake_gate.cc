#include "channel/handshake_gate.h"

#include <algorithm>

#include "core/limits.h"

namespace ebb::channel {
namespace {

constexpr Duration kStep = microseconds(1000000 / limits::kHandshakesPerSecond);

}  // namespace

HandshakeGate::Entry HandshakeGate::enter(Instant now, std::string_view source) {
  if (!take(now, source)) return {};
  Entry entry;
  if (open_.size() >= limits::kHalfOpen) entry.ousted = make_room();
  entry.ticket = next_ticket_++;
  open_.emplace(*entry.ticket, HalfOpen{now + milliseconds(limits::kHandshakeMs)});
  return entry;
}

bool HandshakeGate::take(Instant now, std::string_view source) {
  auto found = rested_at_.find(source);
  if (found == rested_at_.end()) {
    if (rested_at_.size() >= limits::kHandshakeSources) forget_one(now);
    found = rested_at_.emplace(std::string(source), now).first;
  }
  Instant& rested_at = found->second;
  rested_at = std::max(rested_at, now);
  if (rested_at - now > kStep * (limits::kHandshakesAtOnce - 1)) return false;
  rested_at = rested_at + kStep;
  return true;
}

void HandshakeGate::forget_one(Instant now) {
  std::erase_if(rested_at_, [now](const auto& source) { return source.second <= now; });
  if (rested_at_.size() < limits::kHandshakeSources) return;
  rested_at_.erase(
      std::min_element(rested_at_.begin(), rested_at_.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; }));
}

std::optional<HandshakeGate::Ticket> HandshakeGate::make_room() {
  auto oldest = std::find_if(open_.begin(), open_.end(),
                             [](const auto& half_open) { return !half_open.second.proven; });
  if (oldest == open_.end()) oldest = open_.begin();
  const Ticket ticket = oldest->first;
  open_.erase(oldest);
  return ticket;
}

void HandshakeGate::prove(Ticket ticket) {
  if (const auto found = open_.find(ticket); found != open_.end()) found->second.proven = true;
}

std::vector<HandshakeGate::Ticket> HandshakeGate::expire(Instant now) {
  std::vector<Ticket> expired;
  while (!open_.empty() && open_.begin()->second.deadline <= now) {
    expired.push_back(open_.begin()->first);
    open_.erase(open_.begin());
  }
  return expired;
}

std::optional<Instant> HandshakeGate::next_deadline() const {
  if (open_.empty()) return std::nullopt;
  return open_.begin()->second.deadline;
}

}  // namespace ebb::channel
