#include "trust/scope_hash.h"

#include <algorithm>
#include <string_view>

#include "codec/scope.h"
#include "trust/hash.h"

namespace ebb::trust {
namespace {

constexpr std::string_view kLabel = "ebb-scope-1";

}  // namespace

ScopeHash scope_hash(const Scope& scope) {
  ScopeHash out;
  if (scope.is_full()) return out;
  const Bytes encoded = codec::encode_scope(scope);
  const Hash whole = hash({as_bytes(kLabel), ByteView(encoded)});
  std::copy_n(whole.data.begin(), ScopeHash::kSize, out.data.begin());
  return out;
}

}  // namespace ebb::trust
