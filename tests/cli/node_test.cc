// What the node says of itself, with a FakeApi in its place.
#include <doctest/doctest.h>

#include "tests/cli/command_run.h"

using ebb::tests::CommandRun;
using ebb::tests::FakeAnswer;

namespace {

std::string status_with(const std::string& level) {
  return R"({"device":"abcdefgh-ijklmnop","name":"till\u001b[2J","mesh":"m1","version":"0.1.0",)"
         R"("uptime_ms":90000,"listen":"127.0.0.1:7401","verdict":{"level":")" +
         level +
         R"(","text":"2 events are missing"},"completeness":{"state":"behind","held":3,)"
         R"("known":5,"links":1,"missing_logs":1,"missing":[{"log":"l","device":"zzzzyyyy-1",)"
         R"("topic":"events","held":1,"known":3}]},"heads":2,"events":3,"records":2,)"
         R"("links":1,"peers":2,)"
         R"("digest":"dd",)"
         R"("store":{"bytes":2048},"durability":"full","queues":{"append_bytes":0,)"
         R"("engine_bytes":10}})";
}

}  // namespace

TEST_CASE("status says the verdict first and ends with 4 when it is bad") {
  CommandRun ebb;
  ebb.serve().on("GET /v1/status", status_with("warn"));
  CHECK(ebb.run({"status"}) == 0);
  CHECK(ebb.out.rfind("warn  2 events are missing\n", 0) == 0);
  CHECK(ebb.out_has("device    abcdefgh-ijklmnop  (till\\u001b[2J)\n"));
  CHECK(ebb.out_has("listen    127.0.0.1:7401, up 90 s\n"));
  CHECK(ebb.out_has("events    3 events in 2 logs (+2 records)\n"));
  CHECK(ebb.out_has("complete  behind: 3 of 5 known events are here, 1 log incomplete\n"));
  CHECK(ebb.out_has("zzzzyyyy      events     1      3\n"));
  CHECK(ebb.out_has("store     2.0 KiB, durability full\n"));
  CHECK(ebb.run({"status", "--color=always"}) == 0);
  CHECK(ebb.out.rfind("\x1b[33mwarn\x1b[0m", 0) == 0);
  ebb.serve().on("GET /v1/status", status_with("bad"));
  CHECK(ebb.run({"status"}) == 4);
  CHECK(ebb.run({"status", "--json"}) == 4);
  CHECK(ebb.out == status_with("bad") + "\n");
}

TEST_CASE("status says what scope its numbers are of") {
  CommandRun ebb;
  std::string answer = status_with("ok");
  const auto put = [&answer](const std::string& before, const std::string& what) {
    answer.insert(answer.find(before), what);
  };
  ebb.serve().on("GET /v1/status", answer);
  CHECK(ebb.run({"status"}) == 0);
  CHECK_FALSE(ebb.out_has("scope"));
  put(R"("held":3)", R"("scope":"partial",)");
  put(R"("listen")", R"("scope":{"kind":"partial","topics":["a","b"],"devices":["x-y"]},)");
  ebb.serve().on("GET /v1/status", answer);
  CHECK(ebb.run({"status"}) == 0);
  CHECK(ebb.out_has("scope     partial: topics a, b; devices x-y\n"));
  CHECK(ebb.out_has("1 log incomplete; local: of this node's scope only\n"));
}

TEST_CASE("status says why a clock is suspect, and what to do") {
  CommandRun ebb;
  std::string answer = status_with("warn");
  const std::string clock = R"("clock":{"state":"suspect","why":"the clock is 2 h behind",)"
                            R"("next":"set the clock"},"incarnations":3,"listen")";
  answer.replace(answer.find(R"("listen")"), std::string(R"("listen")").size(), clock);
  ebb.serve().on("GET /v1/status", answer);
  CHECK(ebb.run({"status"}) == 0);
  CHECK(ebb.out_has("clock     suspect: the clock is 2 h behind\n          set the clock\n"));
  CHECK(ebb.out_has("own logs  of 3 incarnations\n"));
}

TEST_CASE("status says what the device is to the mesh, and what is lost with a single issuer") {
  CommandRun ebb;
  const auto show = [&ebb](const std::string& membership, bool issuer = false) {
    std::string answer = status_with("ok");
    const std::string what = R"("issuer":)" + std::string(issuer ? "true" : "false") +
                             R"(,"membership":{)" + membership + "},";
    answer.insert(answer.find(R"("listen")"), what);
    ebb.serve().on("GET /v1/status", answer);
    CHECK(ebb.run({"status"}) == 0);
  };
  const std::string until = R"(,"until_ms":1700000000000,"days_left":12)";
  show(R"("standing":"certified","roles":["reader","writer","relay"],"prefixes":[""])" + until);
  CHECK(ebb.out_has("\nmember    certified, until 2023-11-14 (12 days)\n"));
  CHECK_FALSE(ebb.out_has("issuers"));
  CHECK_FALSE(ebb.out_has("last refusal"));
  show(R"("standing":"certified","renewal_due":true,"last_refusal":"no issuer here","roles":)"
       R"(["writer"],"prefixes":["door","pump."])" +
       until);
  CHECK(
      ebb.out_has("(12 days), renewal is due; as writer; topics door, pump.\n"
                  "          last refusal: no issuer here\n"));
  show(R"("standing":"certified","issues":true,"issuers":1,"roles":["reader","writer","relay",)"
       R"("admin","issuer"],"prefixes":[""])" +
           until,
       true);
  CHECK(
      ebb.out_has("(12 days); as reader, writer, relay, admin; issuer\nissuers   1 (if it is lost "
                  "nobody is certified any more: see docs/security.md)\n"));
  show(R"("standing":"certified","issues":true,"waits_for_member":true,"issuers":2)" + until, true);
  CHECK(ebb.out_has("; issuer, signs nothing before"));
  CHECK(ebb.out_has("issuers   2\n"));
  show(R"("standing":"unknown","last_refusal":"this mesh lets in by invite alone")");
  CHECK(
      ebb.out_has("member    no certificate: let in nowhere yet\n"
                  "          last refusal: this mesh lets in by invite alone\n"
                  "          on an issuer `ebb mesh admit secret` lets it in"));
  show(R"("standing":"revoked")");
  CHECK(ebb.out_has("member    revoked: let in nowhere\n"));
  show(R"("standing":"expired","roles":["reader","writer","relay","issuer"],"days_left":-3)"
       R"(,"until_ms":1700000000000)");
  CHECK(ebb.out_has("gives its events, gets none, ended 2023-11-14; issuer without its key"));
}

TEST_CASE("what names what cannot be ends with 2, in the words of the command line") {
  CommandRun ebb;
  const auto bad = [](const std::string& field, const std::string& message) {
    return FakeAnswer{.status = 400,
                      .body = R"({"error":{"code":"invalid_argument","message":")" + message +
                              R"(","field":")" + field + "\"}}"};
  };
  auto& api = ebb.serve();
  api.on("POST /v1/events", bad("ts", "ts has to be a time"));
  api.on("POST /v1/events", bad("id", "id has to be a UUID"));
  api.on("POST /v1/events", bad("payload", "payload is deep"));
  api.on("GET /v1/views/t", bad("from", "from: no time"));
  api.on("POST /v1/peers", bad("address", "address has to be host:port"));
  CHECK(ebb.run({"append", "t", "--ts", "yesterday"}) == 2);
  CHECK(ebb.err == "ebb: --ts has to be a time\n");
  CHECK(ebb.run({"append", "t", "--id", "123"}) == 2);
  CHECK(ebb.err == "ebb: --id has to be a UUID\n");
  CHECK(ebb.run({"append", "t"}) == 1);
  CHECK(ebb.run({"query", "t", "--from", "yesterday"}) == 2);
  CHECK(ebb.err == "ebb: --from: no time\n");
  CHECK(ebb.run({"peers", "add", "foo"}) == 2);
  CHECK(ebb.err == "ebb: foo has to be host:port\n");
}

TEST_CASE("colours are for terminals that want them") {
  CommandRun ebb;
  ebb.serve().on("GET /v1/status", status_with("ok"));
  CHECK(ebb.run({"status"}) == 0);
  CHECK_FALSE(ebb.out_has("\x1b["));
  ebb.on_terminal = true;
  CHECK(ebb.run({"status"}) == 0);
  CHECK(ebb.out_has("\x1b[32mok\x1b[0m"));
  ebb.variables["NO_COLOR"] = "1";
  CHECK(ebb.run({"status"}) == 0);
  CHECK_FALSE(ebb.out_has("\x1b["));
}

TEST_CASE("a watched command shows again until the node is gone") {
  CommandRun ebb;
  auto& api = ebb.serve();
  api.on("GET /v1/links", R"({"links":[]})");
  api.on("GET /v1/links", R"({"links": []})");
  api.on("GET /v1/links",
         FakeAnswer{.status = 503, .body = R"({"error":{"code":"busy","message":"full"}})"});
  CHECK(ebb.run({"links", "--watch=0.1", "--json"}) == 1);
  CHECK(ebb.out == "{\"links\":[]}\n{\"links\": []}\n");
  CHECK(ebb.err_has("try again"));
  ebb.on_terminal = true;
  ebb.serve().on("GET /v1/peers", FakeAnswer{.body = R"({"peers":[]})", .stops_listening = true});
  CHECK(ebb.run({"peers", "--watch=0.1"}) == 3);
  CHECK(ebb.out.rfind("\x1b[H\x1b[2Jno peer is known", 0) == 0);
}

TEST_CASE("links, peers and heads are tables") {
  CommandRun ebb;
  auto& api = ebb.serve();
  api.on("GET /v1/links",
         R"({"links":[{"link":1,"peer":"abcdefgh-1","remote":"127.0.0.1:1","dialled":true,)"
         R"("state":"open","rtt_ms":1.5,"eager_logs":2,"lazy_logs":0,"missing_here":0,)"
         R"("missing_there":4,"bytes_in":2048,"bytes_out":10,"age_ms":61000}]})");
  CHECK(ebb.run({"links"}) == 0);
  CHECK(ebb.out_has("abcdefgh  127.0.0.1:1  by us    open   1.5 ms"));
  CHECK(ebb.out_has("2.0 KiB  10 B  61 s\n"));
  api.on("GET /v1/peers",
         R"({"peers":[{"device":null,"address":"host:1\u0007","state":"dialling","age_ms":null,)"
         R"("configured":true},{"device":"abcdefgh-1","address":"host:2","state":"refused",)"
         R"("age_ms":2000,"configured":true,"added":true,"trouble":"another mesh"}]})");
  CHECK(ebb.run({"peers"}) == 0);
  CHECK(ebb.out_has(
      "abcdefgh  host:2        refused: another mesh  2 s ago  added, until restart\n"));
  CHECK(ebb.out_has("host:1\\u0007  dialling"));
  api.on("GET /v1/heads",
         R"({"heads":[{"device":"abcdefgh-1","topic":"events","log":"ll","seq":9,)"
         R"("chain":"00112233445566778899","arrival":12,"own":true,"capped":true}]})");
  CHECK(ebb.run({"heads"}) == 0);
  CHECK(ebb.out_has("abcdefgh  events    9       12  ll   0011223344556677  own, capped\n"));
}

TEST_CASE("peers add sends the address") {
  CommandRun ebb;
  ebb.serve().on("POST /v1/peers", "{}");
  CHECK(ebb.run({"peers", "add", "127.0.0.1:7402"}) == 0);
  CHECK(ebb.api->requests().at(0).body == R"({"address":"127.0.0.1:7402"})");
  CHECK(ebb.err_has("127.0.0.1:7402"));
  CHECK(ebb.run({"peers", "add"}) == 2);
  // A bare --watch takes no word that follows.
  CHECK(ebb.run({"peers", "--watch", "add", "host:1"}) == 0);
  CHECK(ebb.api->requests().at(1).body == R"({"address":"host:1"})");
  CHECK(ebb.run({"peers", "--watch=x"}) == 2);
  CHECK(ebb.run({"peers", "--watch=0"}) == 2);
}

TEST_CASE("trace lists reconciliations, of one peer when asked") {
  CommandRun ebb;
  auto& api = ebb.serve();
  const std::string first =
      R"({"id":"r1","peer":"abcdefgh-1","kind":"dial","started_ms":0,"duration_us":1500,)"
      R"("rounds":1,"heads_compared":3,"events_in":5,"events_out":0,"bytes_in":100,)"
      R"("bytes_out":50,"outcome":"done","held_before":0,"known_before":5,"held_after":5,)"
      R"("known_after":5})";
  const std::string second = R"({"id": "r2", "peer": "zzzzzzzz-2", "duration_us": 1})";
  api.on("GET /v1/reconciliations", "{\"reconciliations\":[" + first + ", " + second + "]}");
  api.on("GET /v1/heads", R"({"heads":[{"device":"zzzzzzzz-2"}]})");
  api.on("GET /v1/peers", R"({"peers":[]})");
  CHECK(ebb.run({"trace", "--limit=5"}) == 0);
  CHECK(api.requests().at(0).target == "/v1/reconciliations?limit=5");
  CHECK(ebb.out_has("1970-01-01 00:00:00.000Z  abcdefgh  done     dial       1      3          5"));
  CHECK(ebb.out_has("1.5 ms  0/5                5/5    r1\n"));
  ebb.on_terminal = true;  // of 100 columns
  CHECK(ebb.run({"trace", "--limit=5", "--color=never"}) == 0);
  CHECK(ebb.out_has("5/5    r1\n"));
  ebb.on_terminal = false;
  CHECK(ebb.run({"trace", "zzzz", "--json"}) == 0);
  CHECK(ebb.out == "{\"reconciliations\":[" + second + "]}\n");
}
