#include "mesh/gossip_dial.h"

#include "mesh/dialer.h"

namespace ebb::mesh {

void dial_for_difference(Context& ctx, const Partner& partner) {
  if (!partner.chosen || partner.listens.empty()) return;
  Target* target = add_target(ctx, partner.listens, partner.device, false, false);
  if (target != nullptr) dial_soon(ctx, *target);
}

void dial_for_silence(Context& ctx, const Partner& partner) {
  if (partner.chosen) dial_when_due(ctx, partner.listens);
}

}  // namespace ebb::mesh
