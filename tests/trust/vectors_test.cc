// What is hashed and signed against the bytes in tests/vectors.
#include <doctest/doctest.h>

#include "tests/codec/samples.h"
#include "tests/vectors/vector_file.h"
#include "trust/chain.h"
#include "trust/fingerprint.h"
#include "trust/genesis.h"
#include "trust/hash.h"
#include "trust/identity.h"
#include "trust/segment_verify.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

namespace {

template <class Fixed>
bool same(const Fixed& value, const Bytes& golden) {
  return equal(value.view(), golden);
}

}  // namespace

TEST_CASE("golden log: ids, chain, head, signature, segment") {
  REQUIRE(crypto_ready().ok());
  const VectorFile file("log.txt");
  const auto identity = std::move(Identity::from_seed(file.at("seed"))).value();
  CHECK(same(identity->device(), file.at("device")));
  const LogKey key{identity->device(), 0x2122232425262728, "events"};
  CHECK(log_key_bytes(key) == file.at("log key"));
  CHECK(same(log_id(key), file.at("log id")));
  Hash chain = chain_start(key);
  CHECK(same(chain, file.at("chain 0")));
  for (std::uint16_t n = 1; n <= 3; ++n) {
    const std::string number = std::to_string(n);
    const Hash hashed = event_hash(sample_event(n));
    CHECK(same(hashed, file.at("hash " + number)));
    chain = chain_next(chain, hashed);
    CHECK(same(chain, file.at("chain " + number)));
    CHECK(same(derived_event_id({log_id(key), n}), file.at("derived id " + number)));
  }
  const auto segment = verify_segment(key, share(file.at("segment")));
  REQUIRE(segment.ok());
  CHECK(segment->count == 3);
  CHECK(segment->invalid_from == 0);
  CHECK(segment->chain == chain);
  CHECK(*segment->raw == sample_body(3));
  const Bytes signed_head = head_bytes({segment->log, 3, segment->head.hlc, chain});
  CHECK(signed_head.size() == 74);
  CHECK(signed_head == file.at("head"));
  CHECK(same(identity->sign(signed_head), file.at("signature")));
  CHECK(verify(identity->device(), file.at("head"), segment->head.signature));

  const VerifiedSegment sealed = seal_segment(*identity, {.key = key,
                                                          .log = log_id(key),
                                                          .first_seq = 1,
                                                          .prev_chain = chain_start(key),
                                                          .first_hlc = segment->first_hlc,
                                                          .last_hlc = segment->head.hlc,
                                                          .raw = segment->raw,
                                                          .offsets = segment->offsets});
  CHECK(*sealed.encoded == file.at("segment"));
}

TEST_CASE("golden fingerprints") {
  REQUIRE(crypto_ready().ok());
  const VectorFile file("fingerprints.txt");
  FingerprintSum sum;
  CHECK(same(sum.fingerprint(), file.at("empty")));
  sum.add(counting<LogId>(0x20), {300, counting<Hash>(0x30)});
  CHECK(same(sum.fingerprint(), file.at("one head")));
  sum.add(counting<LogId>(0x21), {1, counting<Hash>(0x31)});
  CHECK(same(sum.fingerprint(), file.at("two heads")));
}

TEST_CASE("golden genesis and mesh id") {
  REQUIRE(crypto_ready().ok());
  const VectorFile file("genesis.txt");
  const Genesis genesis{counting<DeviceId>(0x90), {kSampleMs}, counting<GenesisNonce>(0xa0)};
  CHECK(encode_genesis(genesis) == file.at("genesis"));
  const auto decoded = decode_genesis(file.at("genesis"));
  REQUIRE(decoded.ok());
  CHECK(*decoded == genesis);
  CHECK(same(mesh_id(file.at("genesis")), file.at("mesh id")));
}
