#include "core/result.h"

namespace ebb {

std::string_view error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kMalformed:
      return "malformed";
    case ErrorCode::kNotCanonical:
      return "not_canonical";
    case ErrorCode::kTooLarge:
      return "too_large";
    case ErrorCode::kOutOfRange:
      return "out_of_range";
    case ErrorCode::kDuplicateKey:
      return "duplicate_key";
    case ErrorCode::kTooDeep:
      return "too_deep";
    case ErrorCode::kBadSignature:
      return "bad_signature";
    case ErrorCode::kBadTag:
      return "bad_tag";
    case ErrorCode::kBadChain:
      return "bad_chain";
    case ErrorCode::kFork:
      return "fork";
    case ErrorCode::kGap:
      return "gap";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kExists:
      return "exists";
    case ErrorCode::kInvalidArgument:
      return "invalid_argument";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kBusy:
      return "busy";
    case ErrorCode::kDiskFull:
      return "disk_full";
    case ErrorCode::kIo:
      return "io";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kPermission:
      return "permission";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

std::string Error::message() const {
  std::string text(error_code_name(code));
  if (!context.empty()) text.append(": ").append(context);
  if (!detail.empty()) text.append(": ").append(detail);
  return text;
}

}  // namespace ebb
