// Invites, certificates and the policy over the API.
#include <doctest/doctest.h>

#include "core/bytes.h"
#include "core/limits.h"
#include "tests/http/api.h"
#include "trust/invite.h"

namespace {

using ebb::tests::Api;
using ebb::tests::HttpClient;

ebb::tests::HttpAnswer remove(const Api& api, const std::string& target) {
  HttpClient client(api.socket());
  client.send_head("DELETE", target, "", 0);
  return client.read_answer();
}

}  // namespace

TEST_CASE(
    "an invite is a line that says where, whom and how long, and is listed without its secret") {
  Api api;
  const auto made = api.post("/v1/invites", R"({"ttl_ms":60000,"uses":3})");
  REQUIRE(made.status == 200);
  const std::string line = made.json()["invite"];
  const auto invite = ebb::trust::decode_invite(line);
  REQUIRE(invite.ok());
  CHECK(invite->expires.ms - invite->made.ms == 60000);
  CHECK(made.json()["expires_ms"] == invite->expires.ms);
  CHECK(invite->addresses ==
        std::vector<std::string>{api.get("/v1/status").json()["listen"].get<std::string>()});
  CHECK(made.json()["id"] == ebb::to_hex(ebb::trust::invite_id(invite->secret).view()));

  const auto listed = api.get("/v1/invites");
  CHECK(listed.body.find(ebb::to_base32(invite->secret.view())) == std::string::npos);
  const auto rows = listed.json()["invites"];
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["id"] == made.json()["id"]);
  CHECK(rows[0]["uses"] == 3);
  CHECK(rows[0]["uses_left"] == 3);
  CHECK(rows[0]["state"] == "open");
  CHECK(rows[0]["devices"].empty());
  // By default one use, an hour.
  const auto plain =
      ebb::trust::decode_invite(api.post("/v1/invites", "{}").json()["invite"].get<std::string>());
  REQUIRE(plain.ok());
  CHECK(plain->expires.ms - plain->made.ms == 3600000);
  CHECK(api.get("/v1/invites").json()["invites"][0]["uses"] == 1);
}

TEST_CASE("an invite is ended by its id, once") {
  Api api;
  const std::string id = api.post("/v1/invites", "{}").json()["id"];
  const auto ended = remove(api, "/v1/invites/" + id);
  CHECK(ended.status == 200);
  CHECK(ended.json()["id"] == id);
  CHECK(api.get("/v1/invites").json()["invites"][0]["state"] == "ended");
  CHECK(remove(api, "/v1/invites/" + id).status == 409);
  CHECK(remove(api, "/v1/invites/0011223344556677").status == 404);
  CHECK(remove(api, "/v1/invites/nothing").status == 404);
  CHECK(api.get("/v1/invites/" + id).status == 405);
}

TEST_CASE("an invite that cannot be is refused by its field") {
  Api api;
  for (const std::string body : {R"({"uses":0})", R"({"uses":-1})", R"({"uses":"2"})"}) {
    const auto refused = api.post("/v1/invites", body);
    CHECK(refused.status == 400);
    CHECK(refused.field() == "uses");
  }
  CHECK(api.post("/v1/invites", R"({"uses":10001})").status == 400);
  CHECK(api.post("/v1/invites", R"({"ttl_ms":99999999999999})").field() == "ttl_ms");
  CHECK(api.post("/v1/invites", R"({"ttl":1})").field() == "ttl");
  for (std::size_t i = 0; i < ebb::limits::kInvitesTried; ++i)
    REQUIRE(api.post("/v1/invites", "{}").status == 200);
  const auto full = api.post("/v1/invites", "{}");
  CHECK(full.status == 503);
  CHECK(full.json()["error"]["message"].get<std::string>().find("end one first") !=
        std::string::npos);
}

TEST_CASE("a device is certified by name, and what is no device or key is not") {
  Api api;
  const std::string device = api.get("/v1/status").json()["device"];
  const std::string key = ebb::to_base32(ebb::Bytes(32, 9));
  const auto body = [](const std::string& of, const std::string& link, const std::string& label) {
    return nlohmann::json({{"device", of}, {"link_key", link}, {"label", label}}).dump();
  };
  const auto signed_record = api.post("/v1/certificates", body(device, key, "till"));
  REQUIRE(signed_record.status == 200);
  CHECK(ebb::from_base32(signed_record.json()["record"].get<std::string>()).has_value());
  CHECK(api.post("/v1/certificates", body("x", key, "till")).field() == "device");
  CHECK(api.post("/v1/certificates", body(device, "abc", "till")).field() == "link_key");
  CHECK(api.post("/v1/certificates", body(device, key, "two\nlines")).status >= 400);
  CHECK(api.post("/v1/policy", R"({"admit":"secret"})").status == 200);
  CHECK(api.post("/v1/policy", R"({"admit":"anybody"})").field() == "admit");
}

TEST_CASE("an invite and a certificate say as what, of which topics and how long") {
  Api api;
  const auto made =
      api.post("/v1/invites", R"({"roles":["writer","reader"],"prefixes":["pump."],"days":30})");
  REQUIRE(made.status == 200);
  const auto row = api.get("/v1/invites").json()["invites"].at(0);
  CHECK(row["roles"] == nlohmann::json({"reader", "writer"}));
  CHECK(row["prefixes"] == nlohmann::json({"pump."}));
  CHECK(row["days"] == 30);
  REQUIRE(api.post("/v1/invites", "{}").status == 200);
  const auto usual = api.get("/v1/invites").json()["invites"].at(0);
  CHECK(usual["roles"] == nlohmann::json({"reader", "writer", "relay"}));
  CHECK(usual["prefixes"] == nlohmann::json({""}));
  CHECK(usual["days"] == 400);

  const std::string device = api.get("/v1/status").json()["device"];
  const auto before = api.get("/v1/status").json()["membership"];
  CHECK(before["roles"] == nlohmann::json({"reader", "writer", "relay", "admin", "issuer"}));
  CHECK(before["waits_for_member"] == false);
  // The same device, known by its name; its issuer's key stays on it.
  const auto changed = api.post(
      "/v1/certificates",
      nlohmann::json({{"device", device}, {"roles", {"writer", "admin"}}, {"days", 7}}).dump());
  REQUIRE(changed.status == 200);
  const auto after = api.get("/v1/status").json()["membership"];
  CHECK(after["roles"] == nlohmann::json({"writer", "admin", "issuer"}));
  CHECK(after["prefixes"] == nlohmann::json({""}));
  CHECK(after["days_left"].get<int>() <= 7);
  CHECK(after["days_left"].get<int>() >= 6);
  CHECK(after["until_ms"].get<std::int64_t>() < before["until_ms"].get<std::int64_t>());
}

TEST_CASE("terms that cannot be are refused by their field") {
  Api api;
  const std::string device = api.get("/v1/status").json()["device"];
  const auto refused = [&](const std::string& field, const nlohmann::json& value,
                           const std::string& part) {
    CAPTURE(field);
    CAPTURE(value);
    for (const std::string target : {"/v1/invites", "/v1/certificates"}) {
      nlohmann::json body = {{field, value}};
      if (target == "/v1/certificates") body["device"] = device;
      const auto answer = api.post(target, body.dump());
      CHECK(answer.status >= 400);
      CHECK(answer.field() == field);
      CHECK(answer.body.find(part) != std::string::npos);
    }
  };
  refused("roles", {"king"}, "is no role: there are reader, writer, relay");
  refused("roles", nlohmann::json::array(), "names no role");
  refused("roles", "reader", "a list of texts");
  refused("roles", {1}, "a list of texts");
  refused("roles", {"issuer"}, "not to be given");
  refused("prefixes", nlohmann::json::array(), "names no topic prefix");
  refused("prefixes", {std::string(65, 'a')}, "65 bytes, at most 64");
  refused("prefixes", {"Pump"}, "begins no topic");
  refused("prefixes", std::vector<std::string>(65, "a"), "more than 64");
  refused("days", 401, "from 1 to 400");
  refused("days", 0, "1 or more");
  CHECK(api.post("/v1/invites", R"({"roles":["admin"]})").field() == "roles");
  const auto unknown =
      api.post("/v1/certificates",
               nlohmann::json({{"device", ebb::device_text(ebb::DeviceId{})}, {"days", 5}}).dump());
  CHECK(unknown.status == 404);
  CHECK(unknown.body.find("no certificate of this device") != std::string::npos);
}

TEST_CASE("a node without an issuer's key invites and certifies nobody") {
  Api first;
  Api second(first, {});
  CHECK(first.get("/v1/status").json()["issuer"] == true);
  CHECK(second.get("/v1/status").json()["issuer"] == false);
  const auto refused = second.post("/v1/invites", "{}");
  CHECK(refused.status == 403);
  CHECK(refused.json()["error"]["message"].get<std::string>().find("is no issuer") !=
        std::string::npos);
  CHECK(second.post("/v1/policy", R"({"admit":"secret"})").status == 403);
}
