#include <memory>
#include <optional>
#include <string>

#include "core/limits.h"
#include "ebb/version.h"
#include "http/completeness.h"
#include "http/handlers.h"
#include "http/membership.h"
#include "http/verdict.h"

namespace ebb::http {
namespace {

void write_clock(JsonWriter& out, const node::ClockStatus& clock) {
  out.begin_object().field("state", clock.suspect ? "suspect" : "ok");
  out.field("reason", clock.doubt).field("why", clock.why).field("next", clock.next);
  out.field("time_ms", clock.time.ms).key("ahead_ms");
  if (clock.ahead_ms) {
    out.value(*clock.ahead_ms);
  } else {
    out.null();
  }
  out.field("peers", std::uint64_t{clock.peers}).end_object();
}

void write_scope(JsonWriter& out, const node::NodeStatus& status) {
  out.begin_object().field("kind", scope_name(status.scope.kind)).key("topics").begin_array();
  for (const std::string& topic : status.scope.topics)
    out.value(topic);
  out.end_array().key("devices").begin_array();
  for (const DeviceId& device : status.scope.devices)
    out.value(device_text(device));
  out.end_array().field("relay", status.relay).end_object();
}

std::string status_text(const node::Node& node, const std::optional<Hash>& digest) {
  const node::NodeStatus status = node.status();
  const node::MembershipStatus membership = node.membership();
  const Verdict verdict = verdict_of(status, membership);
  std::string body;
  JsonWriter out(body);
  out.begin_object().field("device", device_text(status.device));
  out.field("name", as_utf8(status.name)).field("mesh", to_hex(status.mesh.view()));
  out.field("incarnation", incarnation_text(status.incarnation)).field("version", kProgramVersion);
  out.field("uptime_ms", status.uptime.ms()).field("listen", status.listen);
  out.field("issuer", node.is_issuer());
  out.key("membership");
  write_membership(out, membership);
  out.key("verdict").begin_object().field("level", verdict.level);
  out.field("text", verdict.text).end_object();
  out.key("clock");
  write_clock(out, status.clock);
  out.key("scope");
  write_scope(out, status);
  out.field("incarnations", status.incarnations).key("completeness");
  write_completeness(out, status);
  out.field("heads", status.heads).field("events", status.events_held - status.records_held);
  out.field("records", status.records_held);
  out.field("links", status.links).field("peers", status.peers).key("digest");
  if (digest) {
    out.value(to_hex(digest->view()));
  } else {
    out.null();
  }
  out.key("store").begin_object().field("bytes", status.store_bytes);
  out.field("epoch", status.epoch).field("write_waits_ms", status.write_waits.ms()).end_object();
  out.field("durability", "full");
  out.key("queues").begin_object().field("append_bytes", status.append_queue_bytes);
  out.field("engine_bytes", status.engine_queue_bytes).end_object().end_object();
  return body;
}

}  // namespace

// The digest is the store thread's, which may be waiting for the disk: just then somebody asks.
void get_status(const RequestPtr& request) {
  if (!request->only_parameters({})) return;
  struct Waiting {
    std::weak_ptr<Request> request;
    std::unique_ptr<node::Node::Watch> timer;
    void answer(const std::optional<Hash>& digest) {
      const RequestPtr waits = request.lock();
      request.reset();
      timer.reset();
      if (waits) waits->answer(json_answer(status_text(waits->node(), digest)));
    }
  };
  // Known to wait already: nothing more is queued behind it.
  if (request->node().status().write_waits.ms() >= limits::kStatusDigestMs) {
    return request->answer(json_answer(status_text(request->node(), std::nullopt)));
  }
  const auto waiting = std::make_shared<Waiting>();
  waiting->request = request->weak_from_this();
  waiting->timer = request->node().call_after(milliseconds(limits::kStatusDigestMs),
                                              [weak = std::weak_ptr<Waiting>(waiting)] {
                                                if (const auto still = weak.lock())
                                                  still->answer(std::nullopt);
                                              });
  request->node().digest([waiting](const Result<Hash>& digest) {
    waiting->answer(digest.ok() ? std::optional<Hash>(*digest) : std::nullopt);
  });
}

void get_livez(const RequestPtr& request) {
  if (request->only_parameters({})) request->answer(text_answer("ok\n"));
}

// Ready while offline: all that is needed is a store that takes events.
void get_readyz(const RequestPtr& request) {
  if (!request->only_parameters({})) return;
  const node::NodeStatus status = request->node().status();
  const std::optional<Error>& error =
      status.store_error ? status.store_error : status.incarnation_error;
  std::string why = disk_trouble(status);
  if (error) why = error_message(*error);
  if (why.empty()) return request->answer(text_answer("ok\n"));
  Answer answer = text_answer("not ready: " + why + "\n");
  answer.status = 503;
  add_retry_after(answer);
  request->answer(std::move(answer));
}

// The node stops when the answer has left.
void shut_down(const RequestPtr& request) {
  if (!request->only_parameters({})) return;
  Answer answer = json_answer("{\"stopping\":true}");
  answer.sent = [&node = request->node()] { node.request_stop(); };
  request->answer(std::move(answer));
}

}  // namespace ebb::http
