// Terms: what a person lets a certificate say: as what, about which topics, for how long.
//
// Model:   reader, writer and relay can be asked for in any way; checkpointer and admin only by
//          hand at the issuer. Nobody asks for `issuer`: it says that an issuer's key is on the
//          device, which no certificate brings there.
// Errors:  roles_from: kInvalidArgument (none, unknown, not to be had that way). prefixes_from:
//          kInvalidArgument (none, no topic), kTooLarge (length, number). days_from: kOutOfRange.
//          The text is a sentence about the field.
// Units:   whole days.
// Threads: values and pure functions; any thread.
// Limits:  limits::kTopicPrefixes, kTopicBytes; kTermDaysMax.
// Spec:    docs/wire_format.md section 13
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/limits.h"
#include "core/result.h"
#include "core/time.h"
#include "trust/certificate.h"

namespace ebb::trust {

namespace roles {
inline constexpr std::uint64_t kUsual = kReader | kWriter | kRelay;
inline constexpr std::uint64_t kByHand = kUsual | kCheckpointer | kAdmin;
}  // namespace roles

inline constexpr std::int64_t kTermDaysMax = limits::kCertificateMs / limits::kDayMs;

struct Terms {
  std::uint64_t roles = roles::kUsual;
  std::vector<std::string> prefixes = {""};  // ascending; "" is all topics
  std::int64_t days = kTermDaysMax;

  Duration lasts() const { return milliseconds(days * limits::kDayMs); }
  bool operator==(const Terms&) const = default;
};

// A prefix that a certificate may name: empty, or a topic that is not the control topic.
bool is_topic_prefix(std::string_view prefix);
// "reader", "writer"... of the bits that are set and have a name, in order.
std::vector<std::string_view> role_names(std::uint64_t roles);
Result<std::uint64_t> roles_from(const std::vector<std::string>& names, std::uint64_t allowed);
// Ascending, each once; all topics alone where "" is among them.
Result<std::vector<std::string>> prefixes_from(std::vector<std::string> prefixes);
Result<std::int64_t> days_from(std::int64_t days);

}  // namespace ebb::trust
