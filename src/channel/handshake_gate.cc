#include "channel/handshake_gate.h"

#include <algorithm>

namespace ebb::channel {
namespace {

constexpr Duration kStep = microseconds(1000000 / limits::kHandshakesPerSecond);
constexpr Duration kAnswerStep = microseconds(1000000 / limits::kHandshakeAnswersPerSecond);
// How many places more a source holds than one that it makes room for.
constexpr std::size_t kFewer = 2;

}  // namespace

bool HandshakeGate::Allowance::has(Instant now, Duration step, std::int64_t at_once) const {
  return std::max(full_at, now) - now <= step * (at_once - 1);
}

void HandshakeGate::Allowance::use(Instant now, Duration step) {
  full_at = std::max(full_at, now) + step;
}

HandshakeGate::Entry HandshakeGate::enter(Instant now, std::string_view name) {
  Source& source = source_of(now, name);
  const bool within_rate = source.begins.has(now, kStep, limits::kHandshakesAtOnce);
  if (within_rate) source.begins.use(now, kStep);
  Entry entry;
  const bool has_its_places = source.open >= per_source_;
  if (has_its_places || open_.size() >= places_) {
    if (!within_rate) return {};
    const auto victim = find_unproven(now, source, has_its_places);
    if (victim == open_.end()) return {};
    entry.ousted = remove(victim);
  }
  entry.ticket = next_ticket_++;
  open_.emplace(*entry.ticket, HalfOpen{&source, now, !within_rate});
  ++source.open;
  return entry;
}

HandshakeGate::Source& HandshakeGate::source_of(Instant now, std::string_view name) {
  const auto found = sources_.find(name);
  if (found != sources_.end()) return found->second;
  if (sources_.size() >= limits::kHandshakeSources) forget_one(now);
  return sources_.emplace(std::string(name), Source{}).first->second;
}

void HandshakeGate::forget_one(Instant now) {
  static_assert(limits::kHandshakeSources > limits::kHalfOpen);  // one has nothing open
  const auto full_at = [](const Source& source) {
    return std::max(source.begins.full_at, source.answers.full_at);
  };
  std::erase_if(sources_, [&](const auto& entry) {
    return entry.second.open == 0 && full_at(entry.second) <= now;
  });
  if (sources_.size() < limits::kHandshakeSources) return;
  auto first = sources_.end();
  for (auto at = sources_.begin(); at != sources_.end(); ++at) {
    if (at->second.open > 0) continue;
    if (first == sources_.end() || full_at(at->second) < full_at(first->second)) first = at;
  }
  sources_.erase(first);
}

HandshakeGate::Open::iterator HandshakeGate::find_unproven(Instant now, const Source& newcomer,
                                                           bool of_it_alone) {
  auto victim = open_.end();
  for (auto at = open_.begin(); at != open_.end(); ++at) {
    const HalfOpen& one = at->second;
    if (one.proven || (of_it_alone && one.source != &newcomer)) continue;
    const bool young = now - one.began < milliseconds(limits::kHalfOpenGraceMs);
    const bool holds_more = one.source->open >= newcomer.open + kFewer;
    if (young && !holds_more && !one.beyond_rate) continue;
    if (victim == open_.end()) {
      victim = at;
    } else if (one.beyond_rate != victim->second.beyond_rate) {
      if (one.beyond_rate) victim = at;
    } else if (one.source->open > victim->second.source->open) {
      victim = at;
    }
  }
  return victim;
}

HandshakeGate::Open::iterator HandshakeGate::find_proven(const Source& newcomer) {
  auto victim = open_.end();
  std::size_t most = newcomer.proven + kFewer - 1;
  for (auto at = open_.begin(); at != open_.end(); ++at) {
    if (!at->second.proven || at->second.source->proven <= most) continue;
    most = at->second.source->proven;
    victim = at;
  }
  return victim;
}

bool HandshakeGate::may_answer(Instant now, const Source& source) const {
  const bool has_share = source.answers.has(now, kStep, limits::kHandshakesAtOnce);
  const std::int64_t at_once = limits::kHandshakeAnswersAtOnce / (has_share ? 1 : 2);
  return answers_.has(now, kAnswerStep, at_once);
}

HandshakeGate::Proof HandshakeGate::prove(Instant now, Ticket ticket) {
  const auto found = open_.find(ticket);
  if (found == open_.end()) return {};
  if (found->second.proven) return {true, std::nullopt};
  Source& source = *found->second.source;
  if (!may_answer(now, source)) return {};
  Proof proof{true, std::nullopt};
  if (proven_ >= proven_max()) {
    const auto victim = find_proven(source);
    if (victim == open_.end()) return {};
    proof.ousted = remove(victim);
  }
  answers_.use(now, kAnswerStep);
  // A source that lives on what others leave does not run into debt for it.
  if (source.answers.has(now, kStep, limits::kHandshakesAtOnce)) source.answers.use(now, kStep);
  if (!found->second.beyond_rate) source.begins.full_at = source.begins.full_at - kStep;
  found->second.proven = true;
  ++source.proven;
  ++proven_;
  return proof;
}

void HandshakeGate::leave(Ticket ticket) {
  if (const auto found = open_.find(ticket); found != open_.end()) remove(found);
}

HandshakeGate::Ticket HandshakeGate::remove(Open::iterator at) {
  const Ticket ticket = at->first;
  --at->second.source->open;
  if (at->second.proven) {
    --at->second.source->proven;
    --proven_;
  }
  open_.erase(at);
  return ticket;
}

std::vector<HandshakeGate::Ticket> HandshakeGate::expire(Instant now) {
  std::vector<Ticket> expired;
  while (!open_.empty() && *next_deadline() <= now)
    expired.push_back(remove(open_.begin()));
  return expired;
}

std::optional<Instant> HandshakeGate::next_deadline() const {
  if (open_.empty()) return std::nullopt;
  return open_.begin()->second.began + milliseconds(limits::kHandshakeMs);
}

}  // namespace ebb::channel
