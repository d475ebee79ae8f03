// Certificates and authority logs against the bytes in tests/vectors.
#include <doctest/doctest.h>

#include "tests/trust/authority_rig.h"
#include "tests/vectors/vector_file.h"
#include "trust/authority.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

namespace {

const std::unique_ptr<Identity> kIssuer = key_of(0x60);
const SignatureCheck kSignatures;

// Signs what the bytes of `name` say, and compares.
Bytes check_record(const VectorFile& file, const Identity& key, const std::string& log, Seq seq,
                   const std::string& kind, record::Content content) {
  const std::string number = std::to_string(seq);
  AuthorityRecord record;
  record.mesh = kPaperMesh;
  record.authority = key.device();
  record.seq = seq;
  record.previous = *Hash::from(file.at(log + " chain " + std::to_string(seq - 1)));
  record.at = {kNow.ms + static_cast<std::int64_t>(seq)};
  record.content = std::move(content);
  const Bytes& golden = file.at(log + " " + number + ": " + kind);
  CAPTURE(kind);
  CHECK(*sign_authority_record(key, record) == golden);
  const auto read = decode_authority_record(kPaperMesh, golden);
  REQUIRE(read.ok());
  CHECK(read->content == record.content);
  CHECK(equal(read->chain.view(), file.at(log + " chain " + number)));
  return golden;
}

}  // namespace

TEST_CASE("golden certificates") {
  const VectorFile file("trust.txt");
  Certificate certificate =
      certificate_of(counting<DeviceId>(0x80), kIssuer->device(), {days(0), days(400)}, 7);
  certificate.prefixes = {"events", "vitals.cpu"};
  certificate.quota = 1 << 20;
  CHECK(*sign_certificate(*kIssuer, certificate) == file.at("certificate"));
  CHECK(*decode_certificate(kPaperMesh, file.at("certificate")) == certificate);
  CHECK(issuer_certificate(kIssuer->device(), {days(0), days(3660)}) ==
        file.at("issuer certificate"));
}

TEST_CASE("golden logs of authorities, their heads and their digest") {
  const VectorFile file("trust.txt");
  const Position position{300, counting<Hash>(0x30)};
  const auto root = [&](Seq seq, const char* kind, record::Content content) {
    return check_record(file, *kRoot, "root", seq, kind, std::move(content));
  };
  const auto issuer = [&](Seq seq, const char* kind, record::Content content) {
    return check_record(file, *kIssuer, "issuer", seq, kind, std::move(content));
  };
  CHECK(equal(authority_chain_start(kPaperMesh, kRoot->device()).view(), file.at("root chain 0")));
  const std::vector<Bytes> records = {
      root(1, "issuer_add", record::IssuerAdd{file.at("issuer certificate")}),
      root(2, "rotate", record::Rotate{counting<DeviceId>(0x50), position, {}}),
      root(3, "time", record::Time{}),
      issuer(1, "cert", record::Cert{file.at("certificate")}),
      issuer(2, "retire", record::Retire{counting<DeviceId>(0x81), kNow}),
      issuer(3, "revoke",
             record::Revoke{counting<DeviceId>(0x82),
                            {{counting<LogId>(1), position}, {counting<LogId>(2), {}}}}),
      issuer(4, "resolve", record::Resolve{{counting<LogId>(3), position}}),
      issuer(5, "policy", record::Policy{1, Admit::kSecret}),
      file.at("issuer 6: later")};
  Authority authority(kPaperMesh, kRoot->device(), kSignatures);
  for (const Bytes& record : records)
    CHECK(authority.take(record)->news);
  CHECK(authority.verdict(counting<DeviceId>(0x80), kNow).standing == Standing::kCertified);
  CHECK(authority.end(kIssuer->device()).seq == 6);
  CHECK(encode_authority_heads(authority.heads()) == file.at("heads"));
  CHECK(equal(authority.digest().view(), file.at("digest")));
}
