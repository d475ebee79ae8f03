#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <regex>
#include <set>
#include <sstream>

#include "tests/http/api.h"

namespace {

using ebb::tests::Api;
using ebb::tests::HttpClient;
using Answer = ebb::tests::HttpAnswer;

TEST_CASE("status tells who the node is and how it is") {
  Api api;
  REQUIRE(api.post("/v1/events", R"([{"type":"t"},{"type":"t"}])").status == 200);
  const auto status = api.get("/v1/status").json();
  CHECK(status["device"].get<std::string>().find('-') == 8);
  CHECK(status["events"] == 2);
  CHECK(status["records"] == 1);  // the opening
  CHECK(status["heads"] == 2);
  CHECK(status["links"] == 0);
  CHECK(status["completeness"]["state"] == "alone");
  CHECK(status["verdict"]["level"] == "ok");
  CHECK(status["clock"]["state"] == "ok");
  CHECK(status["clock"]["why"] == "");
  CHECK(status["clock"]["ahead_ms"].is_null());
  CHECK(status["incarnations"] == 1);
  const auto rows = api.post("/v1/sql", R"({"sql":"select distinct incarnation from events"})");
  CHECK(rows.json()["rows"] == nlohmann::json({{status["incarnation"]}}));
  CHECK(api.read().at(0)["incarnation"] == status["incarnation"]);
  CHECK(api.get("/v1/heads").json()["heads"][0]["incarnation"] == status["incarnation"]);
  CHECK(status["durability"] == "full");
  CHECK(status["queues"]["append_bytes"] == 0);
  CHECK(status["store"]["bytes"] > 0);
  CHECK(status["listen"].get<std::string>().starts_with("127.0.0.1:"));
  const auto digest = api.get("/v1/digest").json();
  CHECK(status["digest"] == digest["digest"]);
  CHECK(digest["digest"].get<std::string>().size() == 64);
  CHECK(digest["events"] == 2);
  CHECK(digest["records"] == 1);
  CHECK(digest["logs"] == 2);
}

TEST_CASE("a clock that cannot be right is told with why and what to do, and marks events") {
  constexpr std::int64_t kFarAhead = 4102444800000;  // 2100
  Api api(ebb::http::ServerOptions{}, ebb::WallTime{kFarAhead});
  REQUIRE(api.post("/v1/events", R"([{"type":"t"}])").status == 200);
  const auto status = api.get("/v1/status").json();
  CHECK(status["clock"]["state"] == "suspect");
  CHECK(status["clock"]["reason"] == "before_build");
  CHECK(status["clock"]["why"].get<std::string>().find("days before") != std::string::npos);
  CHECK(status["clock"]["next"].get<std::string>().starts_with("set the clock"));
  CHECK(status["clock"]["time_ms"] >= kFarAhead);
  CHECK(status["verdict"]["level"] == "warn");
  CHECK(status["verdict"]["text"].get<std::string>().starts_with("clock suspect: "));
  const auto rows = api.post("/v1/sql", R"({"sql":"select suspect, ts from events"})").json();
  REQUIRE(rows["rows"].size() == 2);
  for (const auto& row : rows["rows"]) {
    CHECK(row[0] == 1);
    CHECK(row[1] >= kFarAhead);
  }
  const std::string metrics = api.get("/metrics").body;
  CHECK(metrics.find("ebb_clock_suspect 1\n") != std::string::npos);
  CHECK(metrics.find("ebb_incarnations 1\n") != std::string::npos);
}

TEST_CASE("heads name every log") {
  Api api;
  REQUIRE(api.post("/v1/events", R"([{"type":"t"},{"type":"t"}])").status == 200);
  const auto heads = api.get("/v1/heads").json()["heads"];
  REQUIRE(heads.size() == 2);
  for (const auto& head : heads) {
    CHECK(head["seq"] == (head["topic"] == "events" ? 2 : 1));
    CHECK((head["topic"] == "events" || head["topic"] == "_ebb"));
    CHECK(head["own"] == true);
    CHECK(head["capped"] == false);
    CHECK(head["chain"].get<std::string>().size() == 64);
  }
}

TEST_CASE("two linked nodes show their link, peers, reconciliation and completeness") {
  Api one;
  REQUIRE(one.post("/v1/events", R"([{"type":"t"},{"type":"t"}])").status == 200);
  Api two(one, {});
  const auto in_sync = [](const Answer& answer) {
    return answer.json()["completeness"]["state"] == "in_sync";
  };
  one.wait_for("/v1/status", in_sync);
  two.wait_for("/v1/status", in_sync);
  CHECK(two.events() == 2);
  CHECK(one.get("/v1/digest").json() == two.get("/v1/digest").json());
  CHECK(one.get("/v1/events").body == two.get("/v1/events").body);

  const auto link = two.get("/v1/links").json()["links"].at(0);
  CHECK(link["state"] == "in_sync");
  CHECK(link["dialled"] == true);
  CHECK(link["scope"] == "full");
  CHECK(link["relay"] == true);
  CHECK(link["peer"] == one.get("/v1/status").json()["device"]);
  CHECK(link["bytes_in"] > 0);
  const auto peer = two.get("/v1/peers").json()["peers"].at(0);
  CHECK(peer["state"] == "linked");
  CHECK(peer["configured"] == true);
  CHECK(peer["added"] == false);
  CHECK(peer["announced"].is_array());
  CHECK(peer["metered"] == false);
  const std::string listen = one.get("/v1/status").json()["listen"];
  CHECK(peer["address"] == listen);
  // The row is written with a transaction of its own.
  two.wait_for("/v1/reconciliations?limit=1", [](const Answer& answer) {
    const auto rows = answer.json()["reconciliations"];
    return rows.size() == 1 && rows[0]["outcome"] == "in_sync" && rows[0]["events_in"] == 3;
  });
  CHECK(two.get("/v1/reconciliations?limit=0").field() == "limit");
  CHECK(two.get("/v1/status").json()["verdict"]["level"] == "ok");
}

std::uint64_t metric(const std::string& text, const std::string& name) {
  const std::size_t at = text.find("\n" + name + " ");
  REQUIRE(at != std::string::npos);
  return std::stoull(text.substr(at + name.size() + 2));
}

// Where a node on IPv4 listens, by its own word.
sockaddr_in loopback(const std::string& listen) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port =
      htons(static_cast<std::uint16_t>(std::stoul(listen.substr(listen.rfind(':') + 1))));
  return address;
}

TEST_CASE("every DELTA counts by its own size") {
  Api one;
  Api two(one, {});
  for (int n = 1; n <= 4; ++n) {
    REQUIRE(one.post("/v1/events", R"({"type":"t"})").status == 200);
    two.wait_for("/v1/digest", [n](const Answer& answer) { return answer.json()["events"] == n; });
  }
  const std::string text = two.get("/metrics").body;
  const std::string labels = "{kind=\"delta\",direction=\"in\"}";
  CHECK(metric(text, "ebb_delta_bytes_count") == metric(text, "ebb_messages_total" + labels));
  CHECK(metric(text, "ebb_delta_bytes_sum") == metric(text, "ebb_message_bytes_total" + labels));
  CHECK(metric(text, "ebb_delta_bytes_count") >= 4);
}

TEST_CASE("a datagram that is none is counted by its reason") {
  Api api;
  const std::string listen = api.get("/v1/status").json()["listen"];
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(listen);
  const char junk[] = "junk that is longer than a header";
  REQUIRE(sendto(fd, junk, sizeof junk, 0, reinterpret_cast<const sockaddr*>(&address),
                 sizeof address) == sizeof junk);
  const std::string counted = "\nebb_datagrams_dropped_total{reason=\"malformed\"} 1\n";
  api.wait_for("/metrics",
               [&counted](const Answer& a) { return a.body.find(counted) != std::string::npos; });
  CHECK(metric(api.get("/metrics").body, "ebb_gossip_partners") == 0);
  CHECK(metric(api.get("/metrics").body, "ebb_datagram_sessions") == 0);
  close(fd);
}

TEST_CASE("a connection that has not greeted is no link") {
  Api api;
  const std::string listen = api.get("/v1/status").json()["listen"];
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(listen);
  REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  api.wait_for("/v1/links",
               [](const Answer& answer) { return answer.json()["links"].size() == 1; });
  const auto status = api.get("/v1/status").json();
  CHECK(status["links"] == 0);
  CHECK(status["completeness"]["links"] == 0);
  CHECK(status["completeness"]["state"] == "alone");
  CHECK(status["verdict"]["level"] == "ok");
  REQUIRE(send(fd, "GET / HTTP/1.1", 14, MSG_NOSIGNAL) == 14);
  const std::string counted = "\nebb_handshakes_refused_total{reason=\"no_access\"} 1\n";
  api.wait_for("/metrics",
               [&counted](const Answer& a) { return a.body.find(counted) != std::string::npos; });
  close(fd);
}

TEST_CASE("a peer that is added is dialled") {
  Api one;
  Api two;
  const std::string listen = one.get("/v1/status").json()["listen"];
  CHECK(two.post("/v1/peers", R"({"address":")" + listen + "\"}").json()["address"] == listen);
  two.wait_for("/v1/peers", [&listen](const Answer& answer) {
    const auto peers = answer.json()["peers"];
    return !peers.empty() && peers[0]["address"] == listen;
  });
  const auto added = two.get("/v1/peers").json()["peers"].at(0);
  CHECK(added["configured"] == true);
  CHECK(added["added"] == true);
  for (const char* body :
       {R"({"address":"nowhere"})", R"({"address":"127.0.0.1:0"})", R"({"address":":7401"})",
        R"({"address":"127.0.0.1:70000"})", R"({"address":"a b:1"})", R"({"address":"::1:1"})",
        R"({"address":""})", R"({})", R"({"address":1})"}) {
    CAPTURE(body);
    const auto answer = two.post("/v1/peers", body);
    CHECK(answer.status == 400);
    CHECK(answer.field() == "address");
  }
}

TEST_CASE("a peer of another mesh is told as possibly one, in the list and in the verdict") {
  Api one;
  Api two;  // each of a mesh of its own
  const std::string listen = one.get("/v1/status").json()["listen"];
  REQUIRE(two.post("/v1/peers", R"({"address":")" + listen + "\"}").status == 200);
  two.wait_for("/v1/peers", [](const Answer& answer) {
    const auto peers = answer.json()["peers"];
    return !peers.empty() && peers[0]["state"] == "refused";
  });
  const auto peer = two.get("/v1/peers").json()["peers"].at(0);
  CHECK(peer["trouble"] == "no answer: another mesh, or another secret");
  CHECK(peer["address"] == listen);
  const auto verdict = two.get("/v1/status").json()["verdict"];
  CHECK(verdict["level"] == "warn");
  CHECK(verdict["text"] == listen + " refuses: no answer: another mesh, or another secret");
  // Whoever was dialled configured nothing and has nothing to mend.
  CHECK(one.get("/v1/status").json()["verdict"]["level"] == "ok");
}

TEST_CASE("a node whose configured peers do not answer says so, and why") {
  std::string gone;
  {
    Api once;
    gone = once.get("/v1/status").json()["listen"];
  }
  Api api;
  REQUIRE(api.post("/v1/peers", R"({"address":")" + gone + "\"}").status == 200);
  api.wait_for("/v1/peers", [](const Answer& answer) {
    const auto peers = answer.json()["peers"];
    return !peers.empty() && peers[0]["trouble"] != "";
  });
  const auto peer = api.get("/v1/peers").json()["peers"].at(0);
  CHECK(peer["state"] == "never");
  CHECK(peer["trouble"].get<std::string>().find("refused") != std::string::npos);
  const auto verdict = api.get("/v1/status").json()["verdict"];
  CHECK(verdict["level"] == "ok");
  CHECK(verdict["text"] == "alone: 0 of 1 configured peers answer, 0 events held");
}

TEST_CASE("an unknown path is 404 and a known one with another method 405") {
  Api api;
  for (const char* path : {"/", "/v1", "/v1/", "/v1/event", "/v1/events/", "/v1/counters",
                           "/v1/counters/", "/metrics/x", "/V1/events"}) {
    CAPTURE(path);
    CHECK(api.get(path).status == 404);
  }
  const auto answer = api.post("/v1/status", "{}");
  CHECK(answer.status == 405);
  CHECK(answer.headers.at("allow") == "GET");
  HttpClient client(api.socket());
  client.send_head("DELETE", "/v1/events", "", 0);
  const auto deleted = client.read_answer();
  CHECK(deleted.status == 405);
  CHECK(deleted.headers.at("allow") == "POST, GET");
  client.send_head("HEAD", "/livez", "", 0);
  CHECK(client.read_answer(false).status == 200);
}

TEST_CASE("a request that a web page made is refused") {
  Api api;
  HttpClient client(api.socket());
  const auto answer = client.get("/v1/status", "Origin: http://localhost\r\n");
  CHECK(answer.status == 403);
  CHECK(answer.code() == "permission");
  HttpClient poster(api.socket());
  poster.send_head("POST", "/v1/events", "application/json", 12, "Origin: null\r\n");
  poster.send("{\"type\":\"t\"}");
  CHECK(poster.read_answer().status == 403);
  CHECK(api.events() == 0);
}

TEST_CASE("health is told as plain text") {
  Api api;
  CHECK(api.get("/livez").body == "ok\n");
  CHECK(api.get("/readyz").body == "ok\n");
  CHECK(api.get("/readyz").headers.at("content-type").starts_with("text/plain"));
}

constexpr const char* kFamilies[] = {"ebb_events_appended_total",
                                     "ebb_events_received_total",
                                     "ebb_events_redundant_total",
                                     "ebb_append_duplicates_total",
                                     "ebb_appends_rejected_total",
                                     "ebb_commits_total",
                                     "ebb_commit_failures_total",
                                     "ebb_commit_seconds",
                                     "ebb_commit_events",
                                     "ebb_delta_bytes",
                                     "ebb_convergence_seconds",
                                     "ebb_message_bytes_total",
                                     "ebb_messages_total",
                                     "ebb_peer_faults_total",
                                     "ebb_reconciliations_total",
                                     "ebb_links",
                                     "ebb_heads",
                                     "ebb_events_held",
                                     "ebb_events_known",
                                     "ebb_store_bytes",
                                     "ebb_queue_bytes",
                                     "ebb_dials_total",
                                     "ebb_presences",
                                     "ebb_presences_heard_total",
                                     "ebb_presences_written_total",
                                     "ebb_presence_dials_total",
                                     "ebb_dial_failures_total",
                                     "ebb_handshakes_refused_total",
                                     "ebb_datagrams_total",
                                     "ebb_datagrams_dropped_total",
                                     "ebb_audit_repairs_total",
                                     "ebb_audits_total",
                                     "ebb_forks_suspected_total",
                                     "ebb_clock_suspect",
                                     "ebb_clock_offset_seconds",
                                     "ebb_incarnations",
                                     "ebb_rollbacks_found_total",
                                     "ebb_set_backs_found_total",
                                     "ebb_logs_refused_total",
                                     "ebb_quota_refused_total",
                                     "ebb_merges_total",
                                     "ebb_state_flushes_total",
                                     "ebb_followers",
                                     "ebb_followers_dropped_total",
                                     "ebb_start_time_seconds",
                                     "ebb_build_info"};

TEST_CASE("metrics are well-formed, named by the rules and count what happened") {
  Api api;
  REQUIRE(api.post("/v1/events", R"([{"type":"t"},{"type":"t"}])").status == 200);
  const std::regex sample(R"re(([a-z_]+)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+)re");
  std::map<std::string, std::string> types;
  std::set<std::string> seen;
  std::istringstream lines(api.get("/metrics").body);
  std::string helped;
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    std::istringstream words(line);
    std::string mark, kind, name, type;
    words >> mark >> kind >> name >> type;
    if (mark == "#") {
      if (kind == "HELP") {
        helped = name;
        CHECK(types.count(name) == 0);
      } else {
        CHECK(kind == "TYPE");
        CHECK(name == helped);
        types[name] = type;
        CHECK((type == "counter") == name.ends_with("_total"));
      }
      continue;
    }
    std::smatch match;
    REQUIRE(std::regex_match(line, match, sample));
    CHECK(seen.insert(line.substr(0, line.rfind(' '))).second);
    std::string family = match[1];
    for (const char* suffix : {"_bucket", "_sum", "_count"}) {
      if (types.count(family) == 0 && family.ends_with(suffix)) {
        family = family.substr(0, family.rfind(suffix));
      }
    }
    CHECK(family == helped);
  }
  for (const char* name : kFamilies) {
    CAPTURE(name);
    CHECK(types.count(name) == 1);
  }
  const std::string text = api.get("/metrics").body;
  CHECK(text.find("\nebb_events_appended_total 2\n") != std::string::npos);
  CHECK(text.find("\nebb_events_held 3\n") != std::string::npos);
  CHECK(text.find("ebb_links{state=\"in_sync\"} 0\n") != std::string::npos);
}

}  // namespace
