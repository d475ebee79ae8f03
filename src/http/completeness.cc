#include "http/completeness.h"

namespace ebb::http {

std::string_view completeness_state(const node::NodeStatus& status) {
  if (status.links == 0) return status.events_known > status.events_held ? "behind" : "alone";
  const bool all_here = status.events_known <= status.events_held && status.links_incomplete == 0;
  return all_here && status.links_in_sync > 0 ? "in_sync" : "behind";
}

void write_completeness(JsonWriter& out, const node::NodeStatus& status) {
  out.begin_object().field("state", completeness_state(status));
  out.field("scope", scope_name(status.scope.kind));
  out.field("held", status.events_held).field("known", status.events_known);
  out.field("links", status.links).field("links_in_sync", status.links_in_sync);
  out.field("missing_logs", status.missing.count);
  out.key("missing").begin_array();
  for (const node::MissingLog& log : status.missing.logs) {
    out.begin_object().field("log", log_text(log.log));
    // Neither is known before a peer has named the log's key.
    const bool named = log.key.has_value();
    out.field("device", named ? std::optional(device_text(log.key->device)) : std::nullopt);
    out.field("topic", named ? std::optional(log.key->topic) : std::nullopt);
    out.field("held", log.held).field("known", log.known).end_object();
  }
  out.end_array().end_object();
}

}  // namespace ebb::http
