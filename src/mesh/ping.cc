#include "mesh/ping.h"

#include <algorithm>
#include <vector>

#include "mesh/admission.h"
#include "mesh/audit.h"
#include "mesh/authority_talk.h"
#include "mesh/covered.h"
#include "mesh/outbox.h"

namespace ebb::mesh {
namespace {

// A peer that owes a page of its list, or an answer to a WANT, brings so much in that time or is
// given up.
constexpr Duration kProgressTime = seconds(60);
constexpr std::uint64_t kProgressBytes = std::uint64_t{60} << 10;

bool waits_for_ping(const Link& link) {
  return link.ping_sent && link.last_received < *link.ping_sent;
}

Instant life_deadline(const Context& ctx, const Link& link) {
  if (waits_for_ping(link)) {
    // A mark for the delay may have gone out right after the last sign of life.
    return std::max(*link.ping_sent + (ctx.config.dead_after - ctx.config.ping_idle),
                    link.last_received + ctx.config.dead_after);
  }
  return link.last_received + ctx.config.ping_idle;
}

bool owes_progress(const Context& ctx, const Link& link) {
  // While we sit on its credit the peer cannot do anything; what is staged leaves it enough.
  if (link.exchange.active && link.exchange.list_asked && !link.exchange.list_done) return true;
  if (is_metered(ctx, link)) return false;
  return link.wants_out > 0 && link.uncommitted == link.staged_bytes && !ctx.commits_paused_until;
}

void check_life(Context& ctx, Link& link) {
  if (life_deadline(ctx, link) > ctx.now) return;
  if (waits_for_ping(link)) {
    close_link(ctx, link, "no sign of life");
    return;
  }
  send_ping(ctx, link);
}

void check_link(Context& ctx, Link& link) {
  if (link.flush_at && *link.flush_at <= ctx.now) touch(ctx, link);
  if (!link.settled) {
    if (link.greeting_deadline > ctx.now) return;
    if (turn_away_late(ctx, link)) return;
    const bool half_open = link.phase == Phase::kChannel;
    if (half_open) ++ctx.counters.handshakes_refused["too_slow"];
    close_link(ctx, link, half_open ? "handshake took too long" : "greeting took too long");
    return;
  }
  run_compare(ctx, link);
  watch_progress(ctx, link);
  if (link.owes_since && *link.owes_since + kProgressTime <= ctx.now) {
    if (link.bytes_in - link.owes_from_bytes < kProgressBytes) {
      close_link(ctx, link, "no progress");
      return;
    }
    link.owes_since.reset();
    watch_progress(ctx, link);
  }
  if (link.covered_due && *link.covered_due <= ctx.now) tell_covered(ctx, link);
  if (link.unsaid_due && *link.unsaid_due <= ctx.now) say_unsaid(ctx, link);
  check_life(ctx, link);
}

}  // namespace

void on_ping(Context& ctx, Link& link, const codec::Ping& ping) {
  if (!ping.reply) {
    send(ctx, link, codec::Ping{ping.nonce, true});
    return;
  }
  if (!link.ping_sent || ping.nonce != link.ping_nonce) return;
  const Duration round = ctx.now - *link.ping_sent;
  note_round_trip(link, round);
  link.ping_sent.reset();
  link.background.answered(ctx.now, round, link.rate.chunk_bytes());
  pump_output(ctx, link);
}

void watch_progress(Context& ctx, Link& link) {
  if (!owes_progress(ctx, link)) {
    link.owes_since.reset();
    return;
  }
  // Each page of a list is an answer.
  const bool answered = link.owes_in_round != link.exchange.rounds;
  if (link.owes_since && !answered) return;
  link.owes_since = ctx.now;
  link.owes_from_bytes = link.bytes_in;
  link.owes_in_round = link.exchange.rounds;
}

void run_link_timers(Context& ctx) {
  for (const LinkId id : ctx.link_deadlines.due(ctx.now)) {
    Link* const link = ctx.links.find(id);
    if (link == nullptr) continue;
    // Its deadline is another one afterwards, whatever it was that was due.
    touch(ctx, *link);
    if (!link->closed) check_link(ctx, *link);
  }
}

std::optional<Instant> link_deadline(const Context& ctx, const Link& link) {
  if (link.closed) return std::nullopt;
  std::optional<Instant> next = audit_deadline(ctx, link);
  const auto consider = [&next](Instant at) {
    if (!next || at < *next) next = at;
  };
  if (!link.settled) {
    consider(link.greeting_deadline);
  } else {
    consider(life_deadline(ctx, link));
    if (link.owes_since) consider(*link.owes_since + kProgressTime);
  }
  if (link.flush_at && link.greeted()) consider(*link.flush_at);
  if (link.covered_due) consider(*link.covered_due);
  if (link.unsaid_due) consider(*link.unsaid_due);
  if (link.settled && link.admission.compare_at) consider(*link.admission.compare_at);
  return next;
}

void note_link_deadlines(Context& ctx) {
  ctx.link_deadlines.clear();
  for (const Link& link : ctx.links)
    ctx.link_deadlines.set(link.id, link_deadline(ctx, link));
}

void forgive_lateness(Context& ctx, Duration late) {
  for (Link& link : ctx.links) {
    if (link.ping_sent) link.ping_sent = *link.ping_sent + late;
    link.greeting_deadline = link.greeting_deadline + late;
    link.last_progress = link.last_progress + late;
    link.audit.answer_by = link.audit.answer_by + late;
    if (link.owes_since) link.owes_since = *link.owes_since + late;
  }
}

}  // namespace ebb::mesh
