#include "mesh/gossip.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/host_port.h"
#include "core/planted.h"
#include "mesh/datagrams.h"
#include "mesh/dialer.h"
#include "mesh/gossip_choice.h"
#include "mesh/gossip_dial.h"
#include "mesh/gossip_root.h"
#include "mesh/own_view.h"
#include "mesh/presence.h"
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

void send_root(Context& ctx, const Partner& partner, bool answer) {
  send_datagram(ctx, partner, make_root(ctx, partner, answer));
}

void ask(Context& ctx, Partner& partner) {
  begin_question(ctx, partner);
  partner.again_at.reset();
  renew_bounds(partner);
  send_root(ctx, partner, false);
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

// Perhaps datagrams do not pass; perhaps nobody is there, and no dial will change that.
void finish_silent(Context& ctx, Partner& partner) {
  partner.silences = 0;
  finish(ctx, partner, "silent");
  if (partner.announced && !partner.proven) {
    presence_silent(ctx, partner.device, partner.listens);
    partner.gone = true;
  } else {
    dial_for_silence(ctx, partner);
  }
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
  partner.agreed = {root.epoch, root.arrival_head};
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

// False: the question may have been overheard and be repeated by anybody. Its sender, who has
// started anew since or whose questions have overtaken each other, asks again with a new cookie.
bool is_new(Context& ctx, Partner& partner, const codec::GossipDatagram& datagram,
            const codec::RootDatagram& root) {
  const bool later = !partner.counter || datagram.counter > *partner.counter;
  const QuestionNumber challenge = std::exchange(partner.challenge, kNoQuestion);
  const bool met = challenge != kNoQuestion && datagram.echo.data.back() == challenge;
  if (!later && !met) {
    drop_datagram(ctx, "replayed");
    partner.challenge =
        challenge != kNoQuestion ? challenge : static_cast<QuestionNumber>(ctx.rng.between(1, 255));
    if (ctx.cookies.take(ctx.now))
      send_cookie(ctx, partner.address, root.cookie, partner.challenge);
    return false;
  }
  partner.counter = datagram.counter;
  return true;
}

// The address that listens behind a datagram's source; empty when none does.
std::string listening_address(const std::string& from, std::uint16_t port) {
  const Result<HostPort> source = parse_peer_address(from);
  if (!source.ok() || port == 0) return {};
  return host_port_text({source->host, port});
}

void note_listener(Context& ctx, Partner& partner, std::uint16_t port) {
  if (partner.listens.empty()) partner.listens = listening_address(partner.address, port);
  if (partner.listens.empty()) return;
  // What is configured gets a name by who was asked there, not by who says that he lives there.
  const auto it = ctx.targets.find(partner.listens);
  if (it != ctx.targets.end() && it->second.configured && !partner.chosen) return;
  Target* target = add_target(ctx, partner.listens, partner.device, false, false);
  if (target != nullptr && target->device == partner.device) target->heard = ctx.now;
}

void on_body(Context& ctx, Partner& partner, const codec::GossipDatagram& datagram,
             const codec::RootDatagram& root) {
  const bool begins = !root.answer;
  if (!begins && !end_question(ctx, partner, datagram.echo)) {
    return drop_datagram(ctx, "unasked");
  }
  if (begins && partner.begun && ctx.now - *partner.begun < kExchangePause) {
    return drop_datagram(ctx, "too_often");
  }
  if (begins && !is_new(ctx, partner, datagram, root)) return;
  // Four of these ask five times a second at most.
  const bool bounded = begins && !partner.chosen;
  if (bounded && !ctx.datagram_answers.take(ctx.now)) return drop_datagram(ctx, "too_many");
  note_listener(ctx, partner, root.listen_port);
  partner.cookie = root.cookie;
  partner.root = root.root;
  partner.cursor = root.cursor;
  // Its store was set back: its numbers name, or will name, something else.
  const bool set_back = partner.agreed && (partner.agreed->epoch != root.epoch ||
                                           partner.agreed->arrival > root.arrival_head);
  if (set_back) partner.agreed.reset();
  judge_own_view(ctx, partner, root);
  move_cursor_by_word(ctx, partner, root);
  const RootsCompared compared = compare_with(ctx, partner, root);
  if (begins) {
    partner.begun = ctx.now;
    renew_bounds(partner);
    if (!partner.again_at) partner.heads_last.reset();
    send_root(ctx, partner, true);
    if (compared == RootsCompared::kEqual) agree(ctx, partner, root);
    return;
  }
  partner.silences = 0;
  partner.counter = datagram.counter;
  if (compared == RootsCompared::kNot) return finish_different(ctx, partner, "scopes_unknown");
  compared == RootsCompared::kEqual ? agree(ctx, partner, root) : differ(ctx, partner, root);
}

void on_body(Context& ctx, Partner& partner, const codec::GossipDatagram&,
             const codec::HeadsDatagram& heads) {
  on_heads(ctx, partner, heads);
}
void on_body(Context& ctx, Partner& partner, const codec::GossipDatagram&,
             const codec::WantDatagram& want) {
  on_want(ctx, partner, want);
}
void on_body(Context& ctx, Partner& partner, const codec::GossipDatagram&,
             const codec::SegmentsDatagram& segments) {
  on_segments(ctx, partner, segments);
}

// It wants its cookie before it answers: the root goes out once more, now with it.
void on_body(Context& ctx, Partner& partner, const codec::GossipDatagram& datagram,
             const codec::CookieDatagram& wanted) {
  if (partner.asked_again || !end_question(ctx, partner, datagram.echo)) {
    return drop_datagram(ctx, "unasked");
  }
  partner.asked_again = true;
  partner.cookie = wanted.cookie;
  partner.asked = ctx.now;
  send_root(ctx, partner, false);
}

// It may come from anywhere, whatever it says.
void on_unproven(Context& ctx, const Datagram& datagram, const codec::GossipDatagram& gossip) {
  const auto* root = std::get_if<codec::RootDatagram>(&gossip.body);
  if (root == nullptr || root->answer) return drop_datagram(ctx, "unproven");
  if (!ctx.cookies.take(ctx.now)) return drop_datagram(ctx, "too_many");
  ++ctx.counters.gossip["cookie_sent"];
  send_cookie(ctx, datagram.from, root->cookie, kNoQuestion);
}

void take_datagram(Context& ctx, const Datagram& datagram, const codec::GossipDatagram& gossip) {
  const bool proven =
      is_cookie_for(ctx, datagram.from, gossip.echo) || planted(Bug::kTrustAnyAddress);
  if (const auto* cookie = std::get_if<codec::CookieDatagram>(&gossip.body)) {
    Partner* partner = asked_elsewhere(ctx, datagram, gossip);
    if (partner == nullptr) return drop_datagram(ctx, proven ? "unasked" : "unproven");
    partner->proven = partner->proven || proven;
    return on_body(ctx, *partner, gossip, *cookie);
  }
  if (!proven) return on_unproven(ctx, datagram, gossip);
  const PartnerKey key{gossip.device, datagram.from};
  const auto* root = std::get_if<codec::RootDatagram>(&gossip.body);
  const bool begins = root != nullptr && !root->answer;
  Partner* partner = begins ? meet_partner(ctx, key) : find_partner(ctx, key);
  if (partner == nullptr) return drop_datagram(ctx, begins ? "no_room" : "unasked");
  partner->proven = true;
  partner->last = ctx.now;
  std::visit([&](const auto& body) { on_body(ctx, *partner, gossip, body); }, gossip.body);
}

// ---- what goes out

// What a partner owes or is owed.
void run_partner(Context& ctx, Partner& partner) {
  if (is_linked(ctx, partner.device) || !may_gossip(ctx, partner)) {
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

// An address of which no device is known.
void ask_strangers(Context& ctx) {
  const std::optional<std::string> address = draw_stranger(ctx);
  if (!address) return;
  Partner stranger;
  stranger.address = *address;
  ctx.stranger_asked = stranger.address;
  send_root(ctx, stranger, false);
}

std::optional<Instant> earliest_of_partners(const Context& ctx) {
  std::optional<Instant> next;
  const auto consider = [&next](const std::optional<Instant>& at) {
    if (at && (!next || *at < *next)) next = at;
  };
  for (const auto& [key, partner] : ctx.partners) {
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
  const Result<codec::GossipDatagram> gossip = codec::decode_datagram(datagram.bytes);
  const PartnerKey key{gossip.ok() ? gossip->device : DeviceId{}, datagram.from};
  count_received(ctx, key, datagram.bytes.size());
  if (!gossip.ok()) {
    const bool later = gossip.error().code == ErrorCode::kUnsupported;
    return drop_datagram(ctx, later ? "unsupported" : "malformed");
  }
  if (gossip->mesh != ctx.config.mesh) return drop_datagram(ctx, "other_mesh");
  if (gossip->device == ctx.config.self) return drop_datagram(ctx, "own");
  if (is_linked(ctx, gossip->device)) return drop_datagram(ctx, "linked");
  const Partner* partner = find_partner(ctx, key);
  const bool allowed =
      partner == nullptr ? may_gossip(ctx, datagram.from) : may_gossip(ctx, *partner);
  if (!allowed) return drop_datagram(ctx, "held_back");
  take_datagram(ctx, datagram, *gossip);
}

void run_gossip(Context& ctx) {
  ctx.partners_moved = true;
  for (auto& [key, partner] : ctx.partners)
    run_partner(ctx, partner);
  std::erase_if(ctx.partners, [](const auto& entry) { return entry.second.gone; });
  if (!ctx.gossip_at || *ctx.gossip_at > ctx.now) return;
  ctx.gossip_at.reset();
  Partner* partner = choose_partner(ctx);
  if (partner == nullptr) return ask_strangers(ctx);
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
