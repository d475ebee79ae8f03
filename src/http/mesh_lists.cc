#include <algorithm>
#include <string>
#include <vector>

#include "core/host_port.h"
#include "core/limits.h"
#include "http/ask.h"
#include "http/handlers.h"
#include "http/json_fields.h"
#include "http/time_text.h"

namespace ebb::http {
namespace {

constexpr std::size_t kReconciliationsByDefault = 100;

std::optional<std::string> maybe_device(const std::optional<DeviceId>& device) {
  if (!device) return std::nullopt;
  return device_text(*device);
}

void write_link(JsonWriter& out, const node::LinkStatus& link, Instant now) {
  out.begin_object().field("link", link.link.value).field("peer", maybe_device(link.peer));
  out.field("remote", link.remote).field("dialled", link.dialled).field("state", link.state);
  out.key("rtt_ms");
  if (link.rtt) {
    out.value(static_cast<double>(link.rtt->us) / 1000);
  } else {
    out.null();
  }
  out.field("eager_logs", link.eager_logs).field("lazy_logs", link.lazy_logs);
  out.field("missing_here", link.missing_here).field("missing_there", link.missing_there);
  out.field("bytes_in", link.bytes_in).field("bytes_out", link.bytes_out);
  out.field("class", link.link_class).field("held_back", link.held_back);
  out.field("waiting_bytes", link.waiting_bytes).field("bytes_per_second", link.rate);
  out.field("scope", link.scope).field("relay", link.relay);
  out.field("access", link.access).field("access_there", link.access_there);
  out.field("age_ms", (now - link.since).ms()).end_object();
}

void write_budget(JsonWriter& out, const node::BudgetStatus& budget) {
  out.begin_object().field("class", budget.settings.name).field("links", budget.links);
  out.field("spent_today_bytes", budget.spent_today);
  out.field("daily_bytes", budget.settings.daily_bytes);
  out.field("waiting_bytes", budget.waiting_bytes).end_object();
}

// `kept`: the addresses that the next start dials too.
void write_peer(JsonWriter& out, const node::KnownPeer& peer, Instant now,
                const std::vector<std::string>& kept) {
  const bool added =
      peer.configured && std::find(kept.begin(), kept.end(), peer.address) == kept.end();
  out.begin_object().field("device", maybe_device(peer.device));
  out.field("address", as_utf8(peer.address)).field("state", peer.state).key("age_ms");
  if (peer.last_heard) {
    out.value((now - *peer.last_heard).ms());
  } else {
    out.null();
  }
  out.field("configured", peer.configured).field("added", added);
  out.key("announced").begin_array();
  for (const std::string& address : peer.announced)
    out.value(as_utf8(address));
  out.end_array().field("metered", peer.metered);
  out.field("trouble", as_utf8(peer.trouble)).end_object();
}

void write_head(JsonWriter& out, const store::HeadRecord& head, const DeviceId& own) {
  out.begin_object().field("device", device_text(head.key.device));
  out.field("incarnation", incarnation_text(head.key.incarnation));
  out.field("topic", head.key.topic);
  out.field("log", log_text(head.log)).field("seq", head.held.seq);
  out.field("chain", to_hex(head.held.chain.view())).field("hlc", head.hlc.value);
  out.field("arrival", head.arrival).field("own", head.key.device == own);
  out.field("capped", head.capped).end_object();
}

void write_reconciliation(JsonWriter& out, const store::ReconciliationRow& row) {
  out.begin_object().field("id", to_hex(row.id.view())).field("peer", device_text(row.peer));
  out.field("kind", row.kind).field("started_ms", row.started.ms);
  out.field("duration_us", row.duration_us).field("rounds", row.rounds);
  out.field("heads_compared", row.heads_compared);
  out.field("events_in", row.events_in).field("events_out", row.events_out);
  out.field("bytes_in", row.bytes_in).field("bytes_out", row.bytes_out);
  out.field("outcome", row.outcome);
  out.field("held_before", row.held_before).field("known_before", row.known_before);
  out.field("held_after", row.held_after).field("known_after", row.known_after);
  out.field("root_before", to_hex(row.root_before.view()));
  out.field("root_after", to_hex(row.root_after.view())).end_object();
}

// {"<name>": [...]} with one `write` for each item.
template <class Items, class Write>
Answer list_answer(std::string_view name, const Items& items, Write write) {
  std::string body;
  JsonWriter out(body);
  out.begin_object().key(name).begin_array();
  for (const auto& item : items)
    write(out, item);
  out.end_array().end_object();
  return json_answer(std::move(body));
}

}  // namespace

void list_links(const RequestPtr& request) {
  if (!request->only_parameters({})) return;
  const Instant now = request->node().now();
  std::string body;
  JsonWriter out(body);
  out.begin_object().key("links").begin_array();
  for (const node::LinkStatus& link : request->node().links())
    write_link(out, link, now);
  out.end_array().key("classes").begin_array();
  for (const node::BudgetStatus& budget : request->node().budgets())
    write_budget(out, budget);
  out.end_array().end_object();
  request->answer(json_answer(std::move(body)));
}

void list_peers(const RequestPtr& request) {
  if (!request->only_parameters({})) return;
  const Instant now = request->node().now();
  const std::vector<std::string>& kept = request->node().config().peers;
  request->answer(list_answer(
      "peers", request->node().peers(),
      [now, &kept](JsonWriter& out, const auto& peer) { write_peer(out, peer, now, kept); }));
}

void add_peer(const RequestPtr& request) {
  if (!request->only_parameters({})) return;
  std::string field;
  const auto fields = parse_fields(request->body(), {"address"}, field);
  if (!fields) return request->refuse(fields.error(), field);
  const auto address = text_field(*fields, "address", limits::kAddressBytes);
  if (!address) return request->refuse(address.error(), "address");
  // Only its form: names may have to be asked for, and what answers is found out by dialling.
  if (!parse_peer_address(*address).ok()) {
    return request->refuse(
        {ErrorCode::kInvalidArgument, "has to be host:port, as in 127.0.0.1:7401"}, "address");
  }
  const Status added = request->node().add_peer(*address);
  if (!added) return request->refuse(added.error(), "address");
  std::string body;
  JsonWriter(body).begin_object().field("address", *address).end_object();
  request->answer(json_answer(std::move(body)));
}

void list_heads(const RequestPtr& request) {
  if (!request->only_parameters({})) return;
  const DeviceId own = request->node().status().device;
  request->answer(
      list_answer("heads", request->node().heads(),
                  [&own](JsonWriter& out, const auto& head) { write_head(out, head, own); }));
}

void list_reconciliations(const RequestPtr& request) {
  if (!request->only_parameters({"limit"})) return;
  std::size_t limit = kReconciliationsByDefault;
  if (const auto text = request->parameter("limit")) {
    const auto number = parse_uint(*text);
    if (!number || *number == 0 || *number > limits::kReconciliationsKept) {
      return request->refuse({ErrorCode::kInvalidArgument, "has to be a number from 1 to",
                              std::to_string(limits::kReconciliationsKept)},
                             "limit");
    }
    limit = *number;
  }
  using Rows = std::vector<store::ReconciliationRow>;
  ask_store<Rows>(
      request, false,
      [limit](const store::Reader& reader) { return reader.reconciliations(limit); },
      [](Request& waiting, const Rows& rows) {
        waiting.answer(list_answer("reconciliations", rows, write_reconciliation));
      });
}

}  // namespace ebb::http
