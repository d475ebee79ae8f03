// How long what an issuer signs is valid.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/limits.h"
#include "core/time.h"
#include "trust/certificate.h"

namespace ebb::mesh {

// So much before it was signed a certificate begins: clocks of others may be behind.
inline constexpr std::int64_t kBackMs = limits::kDayMs;

inline trust::Validity validity_of(WallTime now, Duration lasts) {
  const std::int64_t begin = std::max<std::int64_t>(now.ms - kBackMs, 0);
  const std::int64_t end = std::min(now.ms + lasts.ms(), begin + limits::kCertificateMs);
  return {{begin}, {end}};
}

// From its signing on, as what a person has chosen for it: a renewal lasts as long.
inline Duration length_of(const trust::Certificate& certificate) {
  const std::int64_t whole = certificate.validity.not_after.ms - certificate.validity.not_before.ms;
  return milliseconds(std::max(whole - kBackMs, kBackMs));
}

}  // namespace ebb::mesh
