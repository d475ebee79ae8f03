// Any bytes as a certificate of a device or an issuer, as they are and as a body under a good
// signature; and as the heads of authorities.
#include <cstddef>
#include <cstdint>

#include "core/check.h"
#include "core/limits.h"
#include "tests/fuzz/signed_bytes.h"
#include "tests/trust/authority_rig.h"
#include "trust/certificate.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

namespace {

const AnySignature kAnySignature;

void check_certificate(ByteView bytes) {
  const auto read = decode_certificate(kPaperMesh, bytes, kAnySignature);
  if (!read.ok()) return;
  EBB_CHECK(bytes.size() <= limits::kCertificateBytes);
  EBB_CHECK(read->label.size() <= limits::kCertificateLabelBytes);
  EBB_CHECK(read->prefixes.size() <= limits::kTopicPrefixes);
  EBB_CHECK(read->validity.not_before < read->validity.not_after);
  EBB_CHECK(read->allows_topic(kControlTopic));
  // What was read once is written and read again as the same, by whomever it is signed.
  Certificate mine = *read;
  mine.issuer = kRoot->device();
  const auto again = sign_certificate(*kRoot, mine);
  EBB_CHECK(again.ok());
  EBB_CHECK(*decode_certificate(kPaperMesh, *again) == mine);
}

void check_issuer(ByteView bytes) {
  const auto read = decode_issuer_certificate(kPaperMesh, kRoot->device(), bytes, kAnySignature);
  if (!read.ok()) return;
  const auto again = sign_issuer_certificate(*kRoot, *read);
  EBB_CHECK(again.ok());
  EBB_CHECK(*decode_issuer_certificate(kPaperMesh, kRoot->device(), *again) == *read);
}

void check_heads(ByteView bytes) {
  const auto read = decode_authority_heads(bytes);
  if (!read.ok()) return;
  EBB_CHECK(read->size() <= limits::kIssuers + 1);
  EBB_CHECK(*decode_authority_heads(encode_authority_heads(*read)) == *read);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  check_certificate(bytes);
  check_certificate(under_a_signature(bytes));
  check_issuer(bytes);
  check_issuer(under_a_signature(bytes));
  check_heads(bytes);
  return 0;
}
