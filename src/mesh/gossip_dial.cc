#include "mesh/gossip_dial.h"

#include <algorithm>

#include "mesh/dialer.h"
#include "mesh/scope.h"

namespace ebb::mesh {
namespace {

constexpr std::uint32_t kDoublingsMax = 8;

Duration pause_after(std::uint32_t dials) {
  Duration pause = kDifferPauseMin;
  for (std::uint32_t i = 1; i < dials; ++i)
    pause = std::min(pause * 2, kDifferPauseMax);
  return pause;
}

}  // namespace

void dial_for_difference(Context& ctx, const Partner& partner) {
  if (!partner.chosen || partner.listens.empty()) return;
  Target* target = add_target(ctx, partner.listens, partner.device, false, false);
  if (target == nullptr) return;
  const DifferentRoots roots{common_root_with(ctx, partner.device).fingerprint(), partner.root};
  DifferenceDials& before = target->differences;
  const bool may_agree = !before.limited && (partner.old || !before.left_out);
  const bool news = may_agree && before.roots != roots;
  if (news) before.count = std::min<std::uint32_t>(before.count, 1);
  if (before.count > 0 && ctx.now - before.last < pause_after(before.count)) {
    ++ctx.counters.gossip["put_off"];
    return;
  }
  before.count = std::min(before.count + 1, kDoublingsMax);
  before.roots = roots;
  before.last = ctx.now;
  dial_soon(ctx, *target);
}

void dial_for_silence(Context& ctx, const Partner& partner) {
  if (partner.chosen) dial_when_due(ctx, partner.listens);
}

void differences_are_over(Context& ctx, const Partner& partner) {
  const auto it = partner.chosen ? ctx.targets.find(partner.listens) : ctx.targets.end();
  if (it != ctx.targets.end()) it->second.differences = {};
}

}  // namespace ebb::mesh
