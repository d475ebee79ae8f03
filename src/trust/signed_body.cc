#include "trust/signed_body.h"

#include "codec/tape.h"
#include "codec/value.h"

namespace ebb::trust {
namespace {

constexpr std::size_t kParts = 2;

Bytes labelled(std::string_view label, ByteView body) {
  Bytes message = to_bytes(as_bytes(label));
  append(message, body);
  return message;
}

}  // namespace

Bytes sign_body(const Identity& signer, std::string_view label, ByteView body) {
  const Signature signature = signer.sign(labelled(label, body));
  Bytes out;
  codec::Writer writer(out);
  writer.array(kParts);
  writer.bin(body);
  writer.bin(signature.view());
  return out;
}

Result<SignedBody> split_signed(ByteView encoded, std::size_t bytes_max) {
  if (encoded.size() > bytes_max) return Error{ErrorCode::kTooLarge, "signed body"};
  EBB_ASSIGN(const codec::Tape tape, codec::Tape::parse(encoded));
  codec::TapeReader reader(tape, "signed body");
  reader.enter_exactly(kParts);
  SignedBody parts;
  parts.body = reader.bin();
  parts.signature = reader.fixed<Signature>();
  EBB_RETURN_IF_ERROR(reader.status());
  return parts;
}

bool body_holds(const DeviceId& signer, std::string_view label, const SignedBody& parts,
                const SignatureCheck& signatures) {
  return signatures.holds(signer, labelled(label, parts.body), parts.signature);
}

}  // namespace ebb::trust
