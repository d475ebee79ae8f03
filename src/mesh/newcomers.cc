#include "mesh/newcomers.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "core/host_port.h"
#include "core/limits.h"
#include "mesh/admission.h"

namespace ebb::mesh {
namespace {

// How many places more a network holds than one that it makes room for.
constexpr std::size_t kFewer = 2;

void send_away(Context& ctx, Link& link, codec::ByeCode code, const std::string& text) {
  ++ctx.counters.handshakes_refused["newcomer"];
  say_bye(ctx, link, code, text);
  close_link(ctx, link, text);
}

// Whether it has shown a certificate by which it would be let in.
bool is_certified(const Context& ctx, Link& link) {
  if (ctx.membership == nullptr) return false;
  if (!link.admission.certified) {
    link.admission.certified = verdict_of(ctx, link).access() >= trust::Access::kRestricted;
  }
  return *link.admission.certified;
}

// Oldest first, `besides` left out.
std::vector<Link*> newcomers_besides(Context& ctx, const Link& besides) {
  std::vector<Link*> found;
  for (Link& link : ctx.links) {
    const bool is_one = !link.dialled && !link.closed && link.phase == Phase::kGreeting &&
                        !link.hello_received && link.id != besides.id;
    if (is_one) found.push_back(&link);
  }
  std::sort(found.begin(), found.end(), [](const Link* a, const Link* b) {
    return a->since != b->since ? a->since < b->since : a->id < b->id;
  });
  return found;
}

// nullptr: nobody makes room for it.
Link* find_victim(const Context& ctx, const std::vector<Link*>& newcomers, Link& link) {
  if (is_certified(ctx, link)) {
    for (Link* one : newcomers) {
      if (!is_certified(ctx, *one)) return one;
    }
  }
  std::map<std::string, std::size_t> held;
  for (const Link* one : newcomers)
    ++held[network_of(one->remote)];
  std::size_t most = held[network_of(link.remote)] + kFewer - 1;
  Link* victim = nullptr;
  for (Link* one : newcomers) {
    // A network of devices that are known keeps its places before anybody who is not.
    if (is_certified(ctx, *one) && !is_certified(ctx, link)) continue;
    const std::size_t holds = held[network_of(one->remote)];
    if (holds <= most) continue;
    most = holds;
    victim = one;
  }
  return victim;
}

}  // namespace

bool take_newcomer(Context& ctx, Link& link) {
  // Both ends of a link to ourselves have to greet, to be known as that.
  if (link.dialled || link.peer == ctx.config.self) return true;
  std::vector<Link*> newcomers = newcomers_besides(ctx, link);
  for (Link* one : newcomers) {
    if (one->peer != link.peer) continue;
    send_away(ctx, *one, codec::ByeCode::kDuplicateLink, "another link of this pair stays");
  }
  std::erase_if(newcomers, [](const Link* one) { return one->closed; });
  if (newcomers.size() < limits::kNewcomers) return true;
  Link* victim = find_victim(ctx, newcomers, link);
  send_away(ctx, victim == nullptr ? link : *victim, codec::ByeCode::kTooManyLinks,
            "too many newcomers");
  return victim != nullptr;
}

}  // namespace ebb::mesh
