#include "http/completeness.h"

namespace ebb::http {

std::string_view completeness_state(const node::NodeStatus& status) {
  if (status.links == 0) return status.events_known > status.events_held ? "behind" : "alone";
  const bool all_here = status.events_known <= status.events_held;
  return all_here && status.links_in_sync > 0 ? "in_sync" : "behind";
}

void write_completeness(JsonWriter& out, const node::NodeStatus& status) {
  out.begin_object().field("state", completeness_state(status));
  out.field("held", status.events_held).field("known", status.events_known);
  out.field("links", status.links).end_object();
}

}  // namespace ebb::http
