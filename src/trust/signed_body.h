// SignedBody: the form of everything that an authority signs: a body, and the signature over its
// label and the very bytes that came.
//
// Errors:  kTooLarge beyond `bytes_max`; kMalformed, kNotCanonical.
// Threads: pure functions; any thread.
// Spec:    docs/wire_format.md section 13
#pragma once

#include <string_view>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "trust/identity.h"

namespace ebb::trust {

// Views into what was split.
struct SignedBody {
  ByteView body;
  Signature signature;
};

Bytes sign_body(const Identity& signer, std::string_view label, ByteView body);
// Believes nothing yet.
Result<SignedBody> split_signed(ByteView encoded, std::size_t bytes_max);
bool body_holds(const DeviceId& signer, std::string_view label, const SignedBody& parts,
                const SignatureCheck& signatures);

}  // namespace ebb::trust
