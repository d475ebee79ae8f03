#include "trust/label.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace ebb::trust {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// Controls of C0 and C1; marks, embeddings, overrides and isolates of the bidirectional algorithm;
// separators of lines and paragraphs.
constexpr std::array<Range, 6> kRefused = {{{0x00, 0x1f},
                                            {0x7f, 0x9f},
                                            {0x061c, 0x061c},
                                            {0x200e, 0x200f},
                                            {0x2028, 0x202e},
                                            {0x2066, 0x2069}}};

// The bytes of a sequence that begins with this one, in UTF-8.
constexpr std::size_t sequence_bytes(std::uint8_t first) {
  if (first < 0x80) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

std::uint32_t code_point(std::string_view sequence) {
  const auto first = static_cast<std::uint8_t>(sequence[0]);
  if (first < 0x80) return first;
  std::uint32_t code = first & (0xffU >> (sequence.size() + 1));
  for (const char c : sequence.substr(1))
    code = (code << 6U) | (static_cast<std::uint8_t>(c) & 0x3fU);
  return code;
}

}  // namespace

bool is_label(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size =
        std::min(sequence_bytes(static_cast<std::uint8_t>(text[0])), text.size());
    const std::uint32_t code = code_point(text.substr(0, size));
    const bool refused = std::any_of(kRefused.begin(), kRefused.end(), [code](const Range& range) {
      return code >= range.first && code <= range.last;
    });
    if (refused) return false;
    text.remove_prefix(size);
  }
  return true;
}

}  // namespace ebb::trust
