#include "codec/sync_heads.h"

#include "core/limits.h"

namespace ebb::codec {
namespace {

constexpr unsigned kSevenBits = 0x7f;
constexpr std::uint8_t kMore = 0x80;
constexpr unsigned kLastShift = 63;  // of a tenth byte, which has room for one bit

void append_leb128(Bytes& out, std::uint64_t value) {
  while (value > kSevenBits) {
    out.push_back(static_cast<std::uint8_t>((value & kSevenBits) | kMore));
    value >>= 7;
  }
  out.push_back(static_cast<std::uint8_t>(value));
}

// Takes entries off the front of packed bytes. The first failure sticks.
class Unpacker {
 public:
  explicit Unpacker(ByteView packed) : rest_(packed) {}

  bool more() const { return ok_ && !rest_.empty(); }
  bool ok() const { return ok_; }

  template <class Fixed>
  Fixed fixed() {
    if (rest_.size() < Fixed::kSize) {
      ok_ = false;
      return {};
    }
    const auto value = Fixed::from(rest_.first(Fixed::kSize));
    rest_ = rest_.subspan(Fixed::kSize);
    return value.value_or(Fixed{});
  }

  std::uint64_t leb128() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; ok_ && shift <= kLastShift && !rest_.empty(); shift += 7) {
      const std::uint8_t byte = rest_.front();
      rest_ = rest_.subspan(1);
      const bool padded = byte == 0 && shift > 0;
      const bool too_large = shift == kLastShift && byte > 1;
      if (padded || too_large) break;
      value |= static_cast<std::uint64_t>(byte & kSevenBits) << shift;
      if ((byte & kMore) == 0) return value;
    }
    ok_ = false;
    return 0;
  }

 private:
  ByteView rest_;
  bool ok_ = true;
};

Error malformed() { return {ErrorCode::kMalformed, "packed list"}; }

template <class Entry, class Take>
Result<std::vector<Entry>> unpack(ByteView packed, const Take& take) {
  Unpacker unpacker(packed);
  std::vector<Entry> entries;
  while (unpacker.more()) {
    if (entries.size() == limits::kHeadsPerMessage) {
      return Error{ErrorCode::kTooLarge, "packed list"};
    }
    entries.push_back(take(unpacker));
  }
  if (!unpacker.ok()) return malformed();
  return entries;
}

std::size_t prefix_bytes(std::size_t depth) { return (depth + 1) / 2; }

}  // namespace

Bytes pack_heads(const std::vector<ListedHead>& heads) {
  Bytes out;
  for (const ListedHead& head : heads) {
    append(out, head.log.view());
    append_leb128(out, head.seq);
    append(out, head.chain.view());
  }
  return out;
}

Result<std::vector<ListedHead>> unpack_heads(ByteView packed) {
  return unpack<ListedHead>(packed, [](Unpacker& from) {
    ListedHead head;
    head.log = from.fixed<LogId>();
    head.seq = from.leb128();
    head.chain = from.fixed<ChainPrefix>();
    return head;
  });
}

Bytes pack_cut_heads(const std::vector<CutHead>& heads) {
  Bytes out;
  for (const CutHead& head : heads) {
    append(out, head.log.view());
    append_leb128(out, head.seq);
    append(out, head.chain.view());
  }
  return out;
}

Result<std::vector<CutHead>> unpack_cut_heads(ByteView packed) {
  return unpack<CutHead>(packed, [](Unpacker& from) {
    CutHead head;
    head.log = from.fixed<LogCut>();
    head.seq = from.leb128();
    head.chain = from.fixed<ChainCut>();
    return head;
  });
}

Bytes pack_cuts(const std::vector<LogCut>& cuts) {
  Bytes out;
  for (const LogCut& cut : cuts)
    append(out, cut.view());
  return out;
}

Result<std::vector<LogCut>> unpack_cuts(ByteView packed) {
  return unpack<LogCut>(packed, [](Unpacker& from) { return from.fixed<LogCut>(); });
}

Bytes pack_prefix(const IdPrefix& prefix) {
  Bytes out{prefix.depth};
  append(out, prefix.first.view().first(prefix_bytes(prefix.depth)));
  return out;
}

Result<IdPrefix> unpack_prefix(ByteView packed) {
  if (packed.empty() || packed[0] >= IdPrefix::kDepthMax ||
      packed.size() != 1 + prefix_bytes(packed[0])) {
    return malformed();
  }
  IdPrefix prefix;
  prefix.depth = packed[0];
  std::copy(packed.begin() + 1, packed.end(), prefix.first.data.begin());
  const bool half = prefix.depth % 2 == 1;
  if (half && id_digit(prefix.first, prefix.depth) != 0) return malformed();
  return prefix;
}

Bytes pack_children(const SyncRange& range) {
  std::uint16_t mask = 0;
  for (std::size_t i = 0; i < range.children.size(); ++i) {
    if (!range.children[i].is_zero()) mask = static_cast<std::uint16_t>(mask | 1U << i);
  }
  Bytes out{static_cast<std::uint8_t>(mask >> 8), static_cast<std::uint8_t>(mask & 0xff)};
  for (const Fingerprint& child : range.children) {
    if (!child.is_zero()) append(out, child.view());
  }
  return out;
}

Status unpack_children(ByteView packed, SyncRange& range) {
  if (packed.size() < 2) return malformed();
  const unsigned mask = static_cast<unsigned>(packed[0]) << 8 | packed[1];
  Unpacker unpacker(packed.subspan(2));
  for (std::size_t i = 0; i < range.children.size(); ++i) {
    if ((mask >> i & 1U) == 0) continue;
    range.children[i] = unpacker.fixed<Fingerprint>();
    if (!unpacker.ok() || range.children[i].is_zero()) return malformed();
  }
  return unpacker.more() ? Status(malformed()) : Status{};
}

}  // namespace ebb::codec
