#include "mesh/gossip.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/host_port.h"
#include "core/planted.h"
#include "mesh/admission.h"
#include "mesh/datagrams.h"
#include "mesh/dialer.h"
#include "mesh/gossip_choice.h"
#include "mesh/gossip_dial.h"
#include "mesh/gossip_root.h"
#include "mesh/own_view.h"
#include "mesh/scope.h"
#include "mesh/settle.h"

namespace ebb::mesh {
namespace {

constexpr std::uint32_t kSilencesMax = 2;  // then it is dialled
constexpr std::uint32_t kRoundsMax = 2;    // of an exchange, then it is over
constexpr std::uint32_t kDoublingsMax = 8;
constexpr Duration kExchangePause = milliseconds(200);  // between exchanges that a partner begins

Duration interval(const Context& ctx) {
  if (greeted_links(ctx) < 2) return ctx.config.gossip_interval_lonely;
  Duration pause = ctx.config.gossip_interval;
  for (std::uint32_t i = 0; i < ctx.gossip_doublings; ++i)
    pause = std::min(pause * 2, ctx.config.gossip_interval_max);
  return pause;
}

// ---- roots

void ask(Context& ctx, Partner& partner) {
  begin_question(ctx, partner);
  partner.again_at.reset();
  renew_bounds(partner);
  send_datagram(ctx, partner, make_root(ctx, partner, partner.question, false));
}

// ---- how exchanges end

void finish(Context& ctx, Partner& partner, std::string_view outcome) {
  ++ctx.counters.gossip[outcome];
  partner.rounds = 0;
  partner.old = false;
  partner.disputed = false;
  partner.differed.reset();
  partner.again_at.reset();
  partner.want_at.reset();
  partner.heads_last.reset();
  partner.lacking.clear();
}

void finish_different(Context& ctx, Partner& partner, std::string_view outcome) {
  dial_for_difference(ctx, partner);
  finish(ctx, partner, outcome);
}

// Perhaps datagrams do not pass, or it has started anew and lost its keys; a link tells.
void finish_silent(Context& ctx, Partner& partner) {
  partner.silences = 0;
  finish(ctx, partner, "silent");
  // It may be where it listens, and not any more where it was heard last; or have other keys.
  if (Session* session = ctx.sessions.of_device(partner.device, ctx.now)) session->address.clear();
  dial_for_silence(ctx, partner);
}

// All that differs may be on its way by live pushes, so there is no need to ask often.
void finish_young(Context& ctx, Partner& partner) {
  finish(ctx, partner, "young");
  ctx.gossip_doublings = std::min(ctx.gossip_doublings + 1, kDoublingsMax);
}

void agree(Context& ctx, Partner& partner, const codec::RootDatagram& root) {
  finish(ctx, partner, root.answer ? "agreed" : "agreed_asked");
  differences_are_over(ctx, partner);
  ctx.gossip_doublings = 0;
  // What it has is what is stored here, so its arrivals up to there are known.
  if (Session* session = ctx.sessions.of_device(partner.device, ctx.now)) {
    session->agreed = {root.epoch, root.arrival_head};
  }
}

void differ(Context& ctx, Partner& partner, const codec::RootDatagram& root) {
  const DifferentRoots roots{common_root_with(ctx, partner.device).fingerprint(), root.root};
  const bool stuck = partner.differed == roots;
  partner.differed = roots;
  const bool stays = partner.old || partner.disputed;
  if (stuck || (++partner.rounds > kRoundsMax && stays)) {
    finish_different(ctx, partner, "different");
  } else if (partner.rounds > kRoundsMax) {
    finish_young(ctx, partner);
  } else {
    send_heads(ctx, partner);
    partner.again_at = ctx.now + patience(partner) * 2;
  }
}

// Only with the bug that takes a datagram's word for what a link has shown.
void move_cursor_by_word(Context& ctx, const Partner& partner, const codec::RootDatagram& root) {
  if (!planted(Bug::kCursorByDatagram)) return;
  Commit commit;
  commit.token = new_token(ctx);
  ctx.cursors[partner.device] = {{root.epoch, root.arrival_head}, ++ctx.hellos, ctx.now};
  commit.cursors.push_back({partner.device, {root.epoch, root.arrival_head}});
  ctx.out->commits.push_back(std::move(commit));
}

// ---- what comes in

// Its store was set back: its numbers name, or will name, something else.
void forget_if_set_back(Context& ctx, const Partner& partner, const codec::RootDatagram& root) {
  Session* session = ctx.sessions.of_device(partner.device, ctx.now);
  if (session == nullptr || !session->agreed) return;
  const codec::Cursor& agreed = *session->agreed;
  if (agreed.epoch != root.epoch || agreed.arrival > root.arrival_head) session->agreed.reset();
}

// The address that listens behind a datagram's source; empty when none does.
std::string listening_address(const std::string& from, std::uint16_t port) {
  const Result<HostPort> source = parse_peer_address(from);
  if (!source.ok() || port == 0) return {};
  return host_port_text({source->host, port});
}

void note_listener(Context& ctx, Partner& partner, const std::string& from, std::uint16_t port) {
  if (partner.listens.empty()) partner.listens = listening_address(from, port);
  if (partner.listens.empty()) return;
  // What is configured gets a name by who was asked there, not by who says that he lives there.
  const auto it = ctx.targets.find(partner.listens);
  if (it != ctx.targets.end() && it->second.configured && !partner.chosen) return;
  Target* target = add_target(ctx, partner.listens, partner.device, false, false);
  if (target != nullptr && target->device == partner.device) target->heard = ctx.now;
}

// A datagram that was opened.
struct Heard {
  const std::string& from;
  std::uint64_t handshake = 0;
  std::uint64_t counter = 0;
};

void on_body(Context& ctx, Partner& partner, const Heard& heard, const codec::RootDatagram& root) {
  const bool begins = !root.answer;
  const std::pair order(heard.handshake, heard.counter);
  // What it shows of our own logs, above all, must not be older than what it has shown.
  if (order < partner.told) return drop_datagram(ctx, "overtaken");
  if (!begins && !end_question(ctx, partner, root.question)) return drop_datagram(ctx, "unasked");
  if (begins && partner.begun && ctx.now - *partner.begun < kExchangePause) {
    return drop_datagram(ctx, "too_often");
  }
  // Four of these ask five times a second at most.
  const bool bounded = begins && !partner.chosen;
  if (bounded && !ctx.datagram_answers.take(ctx.now)) return drop_datagram(ctx, "too_many");
  note_listener(ctx, partner, heard.from, root.listen_port);
  partner.told = order;
  partner.root = root.root;
  partner.cursor = root.cursor;
  forget_if_set_back(ctx, partner, root);
  judge_own_view(ctx, partner, root);
  move_cursor_by_word(ctx, partner, root);
  const RootsCompared compared = compare_with(ctx, partner, root);
  if (begins) {
    partner.begun = ctx.now;
    renew_bounds(partner);
    if (!partner.again_at) partner.heads_last.reset();
    send_datagram(ctx, partner, make_root(ctx, partner, root.question, true));
    if (compared == RootsCompared::kEqual) agree(ctx, partner, root);
    return;
  }
  partner.silences = 0;
  if (compared == RootsCompared::kNot) return finish_different(ctx, partner, "scopes_unknown");
  compared == RootsCompared::kEqual ? agree(ctx, partner, root) : differ(ctx, partner, root);
}

void on_body(Context& ctx, Partner& partner, const Heard&, const codec::HeadsDatagram& heads) {
  on_heads(ctx, partner, heads);
}
void on_body(Context& ctx, Partner& partner, const Heard&, const codec::WantDatagram& want) {
  on_want(ctx, partner, want);
}
void on_body(Context& ctx, Partner& partner, const Heard&,
             const codec::SegmentsDatagram& segments) {
  on_segments(ctx, partner, segments);
}

void take_datagram(Context& ctx, const DeviceId& device, const Heard& heard,
                   const codec::DatagramBody& body) {
  const auto* root = std::get_if<codec::RootDatagram>(&body);
  const bool begins = root != nullptr && !root->answer;
  Partner* partner = begins ? meet_partner(ctx, device) : find_partner(ctx, device);
  if (partner == nullptr) return drop_datagram(ctx, begins ? "no_room" : "unasked");
  partner->last = ctx.now;
  std::visit([&](const auto& each) { on_body(ctx, *partner, heard, each); }, body);
}

// ---- what goes out

// What a partner owes or is owed.
void run_partner(Context& ctx, Partner& partner) {
  const bool has_keys = ctx.sessions.of_device(partner.device, ctx.now) != nullptr;
  if (!has_keys || is_linked(ctx, partner.device) || !may_gossip(ctx, partner)) {
    partner.asked.reset();
    partner.given_up.reset();
    partner.want_at.reset();
    partner.again_at.reset();
    return;
  }
  if (partner.asked && *partner.asked + patience(partner) <= ctx.now) {
    give_up_question(partner);
    if (++partner.silences >= kSilencesMax) finish_silent(ctx, partner);
  }
  if (partner.want_at && *partner.want_at <= ctx.now) {
    if (ctx.commits_paused_until) {
      partner.want_at = std::max(*ctx.commits_paused_until, ctx.now + seconds(1));
    } else {
      partner.want_at.reset();
      partner.old = send_wants(ctx, partner) || partner.old;
    }
  }
  if (!partner.again_at || *partner.again_at > ctx.now) return;
  partner.again_at.reset();
  const bool moved = partner.differed &&
                     partner.differed->mine != common_root_with(ctx, partner.device).fingerprint();
  if (moved && !partner.old && !partner.disputed) {
    finish_young(ctx, partner);
  } else {
    ask(ctx, partner);
  }
}

std::optional<Instant> earliest_of_partners(const Context& ctx) {
  std::optional<Instant> next;
  const auto consider = [&next](const std::optional<Instant>& at) {
    if (at && (!next || *at < *next)) next = at;
  };
  for (const auto& [device, partner] : ctx.partners) {
    if (partner.asked) consider(*partner.asked + patience(partner));
    consider(partner.want_at);
    consider(partner.again_at);
  }
  return next;
}

}  // namespace

void on_datagram(Context& ctx, const Datagram& datagram) {
  ++ctx.counters.datagrams_in;
  ctx.counters.datagram_bytes_in += datagram.bytes.size();
  const auto result = ctx.sessions.open(datagram.bytes, ctx.now);
  if (const auto* why = std::get_if<std::string_view>(&result)) return drop_datagram(ctx, *why);
  const auto& opened = std::get<SessionTable::Opened>(result);
  Session& session = *opened.session;
  ++ctx.counters.datagrams_opened;
  if (opened.datagram.newest) session.address = datagram.from;
  const DeviceId device = session.device;
  if (!may_gossip_with(ctx, device)) {
    ctx.sessions.forget(device);
    return drop_datagram(ctx, "not_admitted");
  }
  count_received(ctx, device, datagram.from, datagram.bytes.size());
  if (is_linked(ctx, device)) return drop_datagram(ctx, "linked");
  const Partner* partner = find_partner(ctx, device);
  const bool allowed =
      partner == nullptr ? may_gossip(ctx, datagram.from) : may_gossip(ctx, *partner);
  if (!allowed) return drop_datagram(ctx, "held_back");
  const auto body = codec::decode_datagram(opened.datagram.type, opened.datagram.plain);
  if (!body.ok()) {
    const bool later = body.error().code == ErrorCode::kUnsupported;
    return drop_datagram(ctx, later ? "unsupported" : "malformed");
  }
  take_datagram(ctx, device, {datagram.from, session.number, opened.datagram.counter}, *body);
}

void run_gossip(Context& ctx) {
  ctx.partners_moved = true;
  for (auto& [device, partner] : ctx.partners)
    run_partner(ctx, partner);
  if (!ctx.gossip_at || *ctx.gossip_at > ctx.now) return;
  ctx.gossip_at.reset();
  Partner* partner = choose_partner(ctx);
  if (partner == nullptr) return;
  // What is under way with it goes on.
  if (partner->asked || partner->again_at || is_linked(ctx, partner->device)) return;
  partner->rounds = 0;
  partner->old = false;
  partner->disputed = false;
  partner->differed.reset();
  ask(ctx, *partner);
}

void plan_gossip(Context& ctx) {
  if (std::exchange(ctx.partners_moved, false)) ctx.partners_at = earliest_of_partners(ctx);
  const Duration mean = interval(ctx);
  const auto spread = static_cast<std::uint64_t>(std::max<std::int64_t>(mean.us / 2, 1));
  // Three to five quarters of the interval, so that neighbours do not fall into step.
  const bool too_late = ctx.gossip_at && *ctx.gossip_at > ctx.now + mean * 5 / 4;
  if (ctx.gossip_at && !too_late) return;
  const auto jitter = static_cast<std::int64_t>(ctx.rng.below(spread));
  ctx.gossip_at = ctx.now + mean * 3 / 4 + microseconds(jitter);
}

std::optional<Instant> next_gossip_deadline(const Context& ctx) {
  if (!ctx.gossip_at || !ctx.partners_at) return ctx.gossip_at ? ctx.gossip_at : ctx.partners_at;
  return std::min(*ctx.gossip_at, *ctx.partners_at);
}

}  // namespace ebb::mesh
