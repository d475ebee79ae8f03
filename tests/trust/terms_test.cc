#include "trust/terms.h"

#include <doctest/doctest.h>

using namespace ebb;
using namespace ebb::trust;

namespace {

std::string why(const Result<std::uint64_t>& roles) {
  REQUIRE_FALSE(roles.ok());
  CHECK(roles.error().code == ErrorCode::kInvalidArgument);
  return roles.error().message();
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("roles are taken by name, and what is not to be had that way is told") {
  CHECK(*roles_from({"writer", "reader", "writer"}, roles::kUsual) ==
        (roles::kReader | roles::kWriter));
  CHECK(*roles_from({"admin", "checkpointer"}, roles::kByHand) ==
        (roles::kAdmin | roles::kCheckpointer));
  CHECK(says(why(roles_from({"king"}, roles::kUsual)),
             "\"king\" is no role: there are reader, writer, relay"));
  CHECK(says(why(roles_from({""}, roles::kUsual)), "\"\" is no role"));
  CHECK(says(why(roles_from({}, roles::kUsual)), "names no role"));
  CHECK(says(why(roles_from({"reader", "admin"}, roles::kUsual)), "by hand alone"));
  CHECK(says(why(roles_from({"checkpointer"}, roles::kUsual)), "by hand alone"));
  CHECK(says(why(roles_from({"issuer"}, roles::kByHand)), "not to be given"));
  CHECK(role_names(roles::kByHand | roles::kIssuer | (1U << 20U)) ==
        std::vector<std::string_view>{"reader", "writer", "relay", "checkpointer", "admin",
                                      "issuer"});
}

TEST_CASE("topic prefixes are sorted, each once, and only what begins a topic") {
  using Texts = std::vector<std::string>;
  CHECK(*prefixes_from({"pump.", "door", "pump."}) == Texts{"door", "pump."});
  CHECK(*prefixes_from({"pump.", ""}) == Texts{""});
  CHECK(prefixes_from({std::string(limits::kTopicBytes, 'a')}).ok());
  CHECK(prefixes_from({std::string(limits::kTopicBytes + 1, 'a')}).error().code ==
        ErrorCode::kTooLarge);
  for (const std::string bad : {"_ebb", "_x", "Pump", "a b", "pump*", "\xc3\xa4"}) {
    CAPTURE(bad);
    CHECK(prefixes_from({bad}).error().code == ErrorCode::kInvalidArgument);
  }
  CHECK(prefixes_from({}).error().code == ErrorCode::kInvalidArgument);
  Texts many;
  for (std::size_t i = 0; i < limits::kTopicPrefixes; ++i)
    many.push_back("p" + std::to_string(i));
  CHECK(prefixes_from(many).ok());
  many.emplace_back("q");
  CHECK(prefixes_from(many).error().code == ErrorCode::kTooLarge);
}

TEST_CASE("the longest terms fit into a certificate") {
  const auto issuer = std::move(Identity::from_seed(Bytes(32, 7))).value();
  Certificate certificate;
  certificate.issuer = issuer->device();
  certificate.label = std::string(limits::kCertificateLabelBytes, 'x');
  certificate.serial = ~std::uint64_t{0};
  certificate.roles = ~std::uint64_t{0};
  for (std::size_t i = 0; i < limits::kTopicPrefixes; ++i) {
    std::string prefix(limits::kTopicBytes, 'a');
    prefix[0] = static_cast<char>(i < 26 ? 'a' + i : '0' + (i - 26));
    certificate.prefixes.push_back(prefix);
  }
  certificate.prefixes = *prefixes_from(certificate.prefixes);
  REQUIRE(certificate.prefixes.size() == limits::kTopicPrefixes);
  certificate.validity = {{limits::kTrustTimeMax - limits::kCertificateMs},
                          {limits::kTrustTimeMax}};
  CHECK(sign_certificate(*issuer, certificate).ok());
}

TEST_CASE("a certificate lasts from a day to 400") {
  CHECK(*days_from(1) == 1);
  CHECK(*days_from(400) == 400);
  for (const std::int64_t days : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{401}})
    CHECK(days_from(days).error().code == ErrorCode::kOutOfRange);
  CHECK(Terms().lasts() == milliseconds(limits::kCertificateMs));
}
