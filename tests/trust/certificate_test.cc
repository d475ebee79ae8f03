#include "trust/certificate.h"

#include <doctest/doctest.h>

#include "codec/value.h"
#include "core/limits.h"
#include "tests/trust/authority_rig.h"
#include "trust/signed_body.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

namespace {

const std::unique_ptr<Identity> kIssuer = key_of(0x60);

Certificate sample() {
  Certificate certificate =
      certificate_of(counting<DeviceId>(0x80), kIssuer->device(), {days(0), days(400)});
  certificate.prefixes = {"events", "vitals.cpu"};
  certificate.quota = 1 << 20;
  return certificate;
}

Bytes signed_sample() { return std::move(sign_certificate(*kIssuer, sample())).value(); }

ErrorCode refusal(const Certificate& certificate) {
  const auto result = sign_certificate(*kIssuer, certificate);
  REQUIRE_FALSE(result.ok());
  return result.error().code;
}

}  // namespace

TEST_CASE("a certificate reads back equal, and one of an issuer too") {
  const auto read = decode_certificate(kPaperMesh, signed_sample());
  REQUIRE(read.ok());
  CHECK(*read == sample());
  const Bytes issuer = issuer_certificate(kIssuer->device(), {days(-1), days(3659)}, 7);
  const auto issuer_read = decode_issuer_certificate(kPaperMesh, kRoot->device(), issuer);
  REQUIRE(issuer_read.ok());
  CHECK(issuer_read->issuer == kIssuer->device());
  CHECK(issuer_read->serial == 7);
  CHECK(issuer_read->validity == Validity{days(-1), days(3659)});
}

TEST_CASE("a certificate that was cut, extended or altered at any byte is refused") {
  const Bytes device = signed_sample();
  const Bytes issuer = issuer_certificate(kIssuer->device(), {days(0), days(9)});
  const auto is_read = [](ByteView bytes, bool of_issuer) {
    return of_issuer ? decode_issuer_certificate(kPaperMesh, kRoot->device(), bytes).ok()
                     : decode_certificate(kPaperMesh, bytes).ok();
  };
  for (const bool of_issuer : {false, true}) {
    const Bytes& bytes = of_issuer ? issuer : device;
    REQUIRE(is_read(bytes, of_issuer));
    for (std::size_t size = 0; size < bytes.size(); ++size)
      CHECK_FALSE(is_read(ByteView(bytes).first(size), of_issuer));
    Bytes more = bytes;
    more.push_back(0);
    CHECK_FALSE(is_read(more, of_issuer));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        Bytes flipped = bytes;
        flipped[i] = static_cast<std::uint8_t>(flipped[i] ^ (1U << bit));
        CAPTURE(i);
        CHECK_FALSE(is_read(flipped, of_issuer));
      }
    }
  }
}

TEST_CASE("a certificate of another mesh, another issuer or another form is not taken for one") {
  CHECK(decode_certificate(counting<MeshId>(0x11), signed_sample()).error().code ==
        ErrorCode::kInvalidArgument);
  const Bytes issuer = issuer_certificate(kIssuer->device(), {days(0), days(9)});
  CHECK_FALSE(decode_certificate(kPaperMesh, issuer).ok());
  CHECK(decode_issuer_certificate(kPaperMesh, kIssuer->device(), issuer).error().code ==
        ErrorCode::kBadSignature);
  CHECK_FALSE(decode_issuer_certificate(kPaperMesh, kRoot->device(), signed_sample()).ok());
}

TEST_CASE("what a later version adds behind the fields is signed, and passed by") {
  const Bytes bytes = signed_sample();
  const auto parts = split_signed(bytes, limits::kCertificateBytes);
  REQUIRE(parts.ok());
  Bytes body = to_bytes(parts->body);
  body[0] = static_cast<std::uint8_t>(body[0] + 1);  // an array of one more
  codec::Writer(body).str("later");
  const Bytes later = sign_body(*kIssuer, "ebb-certificate-1", body);
  const auto read = decode_certificate(kPaperMesh, later);
  REQUIRE(read.ok());
  CHECK(*read == sample());
  CHECK(decode_certificate(kPaperMesh, sign_body(*kIssuer, "ebb-issuer-1", body)).error().code ==
        ErrorCode::kBadSignature);
}

TEST_CASE("a certificate out of bounds is neither signed nor read") {
  Certificate certificate = sample();
  certificate.validity.not_after.ms += 1;
  CHECK(refusal(certificate) == ErrorCode::kOutOfRange);
  CHECK(sign_certificate(*kIssuer, certificate).error().context == "certificate: lasts too long");
  certificate = sample();
  certificate.validity.not_after = certificate.validity.not_before;
  CHECK(refusal(certificate) == ErrorCode::kOutOfRange);
  CHECK(sign_certificate(*kIssuer, certificate).error().context ==
        "certificate: ends before it begins");
  certificate = sample();
  certificate.validity = {{limits::kTrustTimeMax}, {limits::kTrustTimeMax + 1}};
  CHECK(refusal(certificate) == ErrorCode::kMalformed);
  certificate.validity = {{INT64_MIN}, {INT64_MAX}};
  CHECK(refusal(certificate) == ErrorCode::kMalformed);
  certificate.validity = {{-1}, {limits::kCertificateMs - 1}};
  CHECK(refusal(certificate) == ErrorCode::kMalformed);
  certificate.validity = {{0}, {limits::kCertificateMs}};
  CHECK(sign_certificate(*kIssuer, certificate).ok());
  certificate.validity = {{limits::kTrustTimeMax - 1}, {limits::kTrustTimeMax}};
  CHECK(sign_certificate(*kIssuer, certificate).ok());
  certificate = sample();
  certificate.label = std::string(limits::kCertificateLabelBytes, 'x');
  CHECK(sign_certificate(*kIssuer, certificate).ok());
  certificate.label += 'x';
  CHECK(refusal(certificate) == ErrorCode::kTooLarge);
  // Controls of C0 and C1, what turns the order of letters around, separators of lines.
  for (const char* label : {"\x1b[2J", "two\nlines", "\x7f",
                            "\xc2\x9b"
                            "2J",
                            "pump \xe2\x80\xae 7", "\xe2\x81\xa6pump", "\xe2\x80\x8f", "\xd8\x9c",
                            "a\xe2\x80\xa8"
                            "b"}) {
    certificate.label = label;
    CAPTURE(label);
    CHECK(refusal(certificate) == ErrorCode::kMalformed);
  }
  for (const char* label : {"", "Pumpe 7, Halle \xc3\xbc", "\xd7\xa9\xd7\xa2\xd7\xa8",
                            "\xf0\x9f\x90\xb3 \xe2\x82\xac"}) {
    certificate.label = label;
    CHECK(sign_certificate(*kIssuer, certificate).ok());
  }
  certificate.label = "not UTF-8: \xc3";
  CHECK_FALSE(sign_certificate(*kIssuer, certificate).ok());
  const IssuerCertificate issuer{
      kPaperMesh, 1, kIssuer->device(), "", {days(0), {days(3660).ms + 1}}};
  CHECK(sign_issuer_certificate(*kRoot, issuer).error().code == ErrorCode::kOutOfRange);
}

TEST_CASE("topic prefixes are few, in order, and topics or nothing") {
  Certificate certificate = sample();
  certificate.prefixes = {"b", "a"};
  CHECK(refusal(certificate) == ErrorCode::kNotCanonical);
  certificate.prefixes = {"a", "a"};
  CHECK(refusal(certificate) == ErrorCode::kNotCanonical);
  certificate.prefixes = {"_ebb"};
  CHECK(refusal(certificate) == ErrorCode::kMalformed);
  certificate.prefixes = {"A"};
  CHECK(refusal(certificate) == ErrorCode::kMalformed);
  certificate.prefixes.clear();
  for (std::size_t i = 0; i < limits::kTopicPrefixes; ++i)
    certificate.prefixes.push_back(std::string(62, 'x') + std::to_string(10 + i));
  CHECK(sign_certificate(*kIssuer, certificate).ok());
  certificate.prefixes.push_back("y");
  CHECK(refusal(certificate) == ErrorCode::kTooLarge);
}

TEST_CASE("a topic is allowed by its beginning, the control topic always") {
  Certificate certificate = sample();
  CHECK(certificate.allows_topic("events"));
  CHECK(certificate.allows_topic("events.eu"));
  CHECK_FALSE(certificate.allows_topic("event"));
  CHECK_FALSE(certificate.allows_topic("vitals"));
  CHECK(certificate.allows_topic("_ebb"));
  certificate.prefixes = {""};
  CHECK(certificate.allows_topic("anything"));
  certificate.prefixes.clear();
  CHECK_FALSE(certificate.allows_topic("anything"));
  CHECK(certificate.allows_topic("_ebb"));
}

TEST_CASE("roles that nobody knows yet stay, and renewal is due from two thirds on") {
  Certificate certificate = sample();
  certificate.roles |= std::uint64_t{1} << 63;
  const auto read =
      decode_certificate(kPaperMesh, std::move(sign_certificate(*kIssuer, certificate)).value());
  REQUIRE(read.ok());
  CHECK(read->has_role(std::uint64_t{1} << 63));
  CHECK(read->has_role(roles::kReader | roles::kWriter));
  CHECK_FALSE(read->has_role(roles::kAdmin));
  certificate.validity = {days(0), days(300)};
  CHECK_FALSE(certificate.is_renewal_due({days(200).ms - 1}));
  CHECK(certificate.is_renewal_due(days(200)));
}
