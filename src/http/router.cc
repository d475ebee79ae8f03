#include "http/router.h"

#include <array>
#include <string_view>

#include "http/handlers.h"

namespace ebb::http {
namespace {

struct Entry {
  std::string_view method;
  std::string_view path;  // one that ends in '/' takes a name behind it
  Handler handle;
  Handler begin = nullptr;
};

constexpr std::array kRoutes = {
    Entry{"POST", "/v1/events", append_events, begin_append},
    Entry{"GET", "/v1/events", get_events},
    Entry{"GET", "/v1/counters/", get_counter},
    Entry{"POST", "/v1/counters/", add_to_counter},
    Entry{"GET", "/v1/sets/", get_set},
    Entry{"POST", "/v1/sets/", change_set},
    Entry{"GET", "/v1/views", list_views},
    Entry{"GET", "/v1/views/", get_view},
    Entry{"GET", "/v1/digest", get_digest},
    Entry{"POST", "/v1/sql", run_sql},
    Entry{"GET", "/v1/status", get_status},
    Entry{"GET", "/v1/links", list_links},
    Entry{"GET", "/v1/peers", list_peers},
    Entry{"POST", "/v1/peers", add_peer},
    Entry{"POST", "/v1/invites", make_invite},
    Entry{"GET", "/v1/invites", list_invites},
    Entry{"DELETE", "/v1/invites/", end_invite},
    Entry{"POST", "/v1/certificates", certify},
    Entry{"POST", "/v1/policy", set_admit},
    Entry{"GET", "/v1/heads", list_heads},
    Entry{"GET", "/v1/reconciliations", list_reconciliations},
    Entry{"POST", "/v1/shutdown", shut_down},
    Entry{"GET", "/metrics", get_metrics},
    Entry{"GET", "/livez", get_livez},
    Entry{"GET", "/readyz", get_readyz},
};

bool matches(const Entry& entry, std::string_view path) {
  if (!entry.path.ends_with('/')) return path == entry.path;
  return path.size() > entry.path.size() && path.starts_with(entry.path);
}

}  // namespace

Route route(const RequestPtr& request) {
  std::string_view method = request->method();
  if (method == "HEAD") method = "GET";  // the server leaves the body out
  std::string allowed;
  for (const Entry& entry : kRoutes) {
    if (!matches(entry, request->path())) continue;
    if (entry.method == method) {
      if (entry.path.ends_with('/')) {
        request->set_name(request->path().substr(entry.path.size()));
      }
      return {entry.handle, entry.begin};
    }
    allowed.append(allowed.empty() ? "" : ", ").append(entry.method);
  }
  if (allowed.empty()) {
    request->refuse({ErrorCode::kNotFound, "no such path", request->path()});
    return {};
  }
  Answer answer = error_answer(
      {ErrorCode::kInvalidArgument, "this path does not take", request->method()}, "method");
  answer.status = 405;
  answer.headers.emplace_back("Allow", allowed);
  request->answer(std::move(answer));
  return {};
}

}  // namespace ebb::http
