#include <string>

#include "http/completeness.h"
#include "http/handlers.h"

namespace ebb::http {
namespace {

struct Verdict {
  std::string_view level;
  std::string text;
};

std::string counted(std::uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

Verdict refused_verdict(const std::vector<node::KnownPeer>& peers) {
  std::string text = as_utf8(peers.front().address) + " refuses: " + peers.front().trouble;
  if (peers.size() > 1) text += ", and " + counted(peers.size() - 1, "more peer");
  return {"warn", text};
}

// One sentence for a person. Being alone is how an offline-first node often lives, and no fault.
Verdict verdict_of(const node::NodeStatus& status) {
  if (status.store_error) {
    return {"bad", "nothing can be stored: " + error_message(*status.store_error)};
  }
  if (status.incarnation_error) {
    return {"bad",
            "a peer holds more of our log than our store, and nothing is taken until a new "
            "incarnation is written: " +
                status.incarnation_error->detail};
  }
  if (status.store_damage) {
    return {"bad",
            "the store is damaged: run `ebb verify` (" + error_message(*status.store_damage) + ")"};
  }
  if (status.clock.suspect) {
    return {"warn", "clock suspect: " + status.clock.why + "; " + status.clock.next};
  }
  if (!status.peers_refusing.empty()) return refused_verdict(status.peers_refusing);
  const std::string_view state = completeness_state(status);
  const std::string held = counted(status.events_held - status.records_held, "event") + " held";
  if (state == "in_sync") {
    return {"ok", "in sync with " + counted(status.links_in_sync, "neighbour") + ", " + held};
  }
  if (state == "alone" && status.peers_configured > 0) {
    return {"ok", "alone: 0 of " + std::to_string(status.peers_configured) +
                      " configured peers answer, " + held};
  }
  if (state == "alone") return {"ok", "alone, " + held};
  if (status.events_known > status.events_held) {
    const std::uint64_t missing = status.events_known - status.events_held;
    return {"warn", "behind: " + counted(missing, "event") + " known elsewhere are missing here"};
  }
  if (status.links_incomplete > 0) {
    return {"warn", "behind: not everything that " + counted(status.links_incomplete, "neighbour") +
                        " has could be had yet"};
  }
  return {"warn", "comparing with " + counted(status.links, "neighbour")};
}

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

std::string status_text(const node::Node& node, const Result<Hash>& digest) {
  const node::NodeStatus status = node.status();
  const Verdict verdict = verdict_of(status);
  std::string body;
  JsonWriter out(body);
  out.begin_object().field("device", device_text(status.device));
  out.field("name", as_utf8(status.name)).field("mesh", to_hex(status.mesh.view()));
  out.field("incarnation", incarnation_text(status.incarnation)).field("version", EBB_VERSION);
  out.field("uptime_ms", status.uptime.ms()).field("listen", status.listen);
  out.key("verdict").begin_object().field("level", verdict.level);
  out.field("text", verdict.text).end_object();
  out.key("clock");
  write_clock(out, status.clock);
  out.field("incarnations", status.incarnations).key("completeness");
  write_completeness(out, status);
  out.field("heads", status.heads).field("events", status.events_held - status.records_held);
  out.field("records", status.records_held);
  out.field("links", status.links).field("peers", status.peers).key("digest");
  if (digest.ok()) {
    out.value(to_hex(digest->view()));
  } else {
    out.null();
  }
  out.key("store").begin_object().field("bytes", status.store_bytes);
  out.field("epoch", status.epoch).end_object();
  out.field("durability", "full");
  out.key("queues").begin_object().field("append_bytes", status.append_queue_bytes);
  out.field("engine_bytes", status.engine_queue_bytes).end_object().end_object();
  return body;
}

}  // namespace

void get_status(const RequestPtr& request) {
  if (!request->only_parameters({})) return;
  request->node().digest([weak = request->weak_from_this()](const Result<Hash>& digest) {
    if (const RequestPtr waiting = weak.lock()) {
      waiting->answer(json_answer(status_text(waiting->node(), digest)));
    }
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
  if (!error) return request->answer(text_answer("ok\n"));
  Answer answer = text_answer("not ready: " + error_message(*error) + "\n");
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
