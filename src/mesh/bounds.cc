#include "mesh/bounds.h"

#include <utility>

namespace ebb::mesh {
namespace {

template <class Held>
Link* largest(Context& ctx, Held held) {
  Link* worst = nullptr;
  for (Link& link : ctx.links) {
    if (link.closed) continue;
    if (worst == nullptr || held(link) > held(*worst)) worst = &link;
  }
  return worst;
}

}  // namespace

bool count_begun(Context& ctx, Link& link) {
  const std::size_t held = link.splitter.buffered_bytes();
  ctx.begun_bytes += held;
  ctx.begun_bytes -= std::exchange(link.begun_counted, held);
  // An honest peer's segments are within its credit; a frame of control may come beside them.
  if (link.uncommitted + held <= limits::kInboundBytesPerPeer + limits::kFrameBytes) return true;
  fault(ctx, link, "inbound_exceeded");
  return false;
}

void forget_bytes(Context& ctx, Link& link) {
  ctx.outbound_bytes -= std::exchange(link.queued_counted, 0);
  ctx.begun_bytes -= std::exchange(link.begun_counted, 0);
}

void keep_bounds(Context& ctx) {
  while (ctx.outbound_bytes > limits::kOutboundBytesTotal) {
    Link* worst = largest(ctx, [](const Link& link) { return link.queued_counted; });
    if (worst == nullptr) break;
    close_link(ctx, *worst, "the peer reads too slowly");
  }
  while (ctx.inbound_bytes + ctx.begun_bytes > limits::kInboundBytesTotal && ctx.begun_bytes > 0) {
    Link* worst = largest(ctx, [](const Link& link) { return link.begun_counted; });
    if (worst == nullptr || worst->begun_counted == 0) break;
    close_link(ctx, *worst, "too much begun and not ended");
  }
}

}  // namespace ebb::mesh
