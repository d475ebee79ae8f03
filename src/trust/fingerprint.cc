#include "trust/fingerprint.h"

#include "core/check.h"
#include "trust/hash.h"

namespace ebb::trust {
namespace {

constexpr std::string_view kLabel = "ebb-fp-1";

using Words = std::array<std::uint64_t, 4>;  // least significant first

Words entry_of(const LogId& log, const Position& position) {
  Bytes seq;
  append_be64(seq, position.seq);
  const Hash entry = hash({log.view(), seq, position.chain.view()});
  Words words{};
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[words.size() - 1 - i] = read_be64(entry.view().subspan(8 * i));
  }
  return words;
}

}  // namespace

void FingerprintSum::add(const LogId& log, const Position& position) {
  if (position.seq == 0) return;
  const Words entry = entry_of(log, position);
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < sum_.size(); ++i) {
    const std::uint64_t partial = sum_[i] + entry[i];
    const std::uint64_t total = partial + carry;
    carry = (partial < entry[i] || total < partial) ? 1 : 0;
    sum_[i] = total;
  }
  ++count_;
}

void FingerprintSum::remove(const LogId& log, const Position& position) {
  if (position.seq == 0) return;
  EBB_CHECK(count_ > 0);
  const Words entry = entry_of(log, position);
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < sum_.size(); ++i) {
    const std::uint64_t partial = sum_[i] - entry[i];
    const std::uint64_t total = partial - borrow;
    borrow = (sum_[i] < entry[i] || partial < borrow) ? 1 : 0;
    sum_[i] = total;
  }
  --count_;
}

void FingerprintSum::move(const LogId& log, const Position& before, const Position& after) {
  remove(log, before);
  add(log, after);
}

Fingerprint FingerprintSum::fingerprint() const {
  Bytes bytes;
  for (std::size_t i = sum_.size(); i > 0; --i)
    append_be64(bytes, sum_[i - 1]);
  append_be64(bytes, count_);
  const Hash whole = hash({as_bytes(kLabel), bytes});
  Fingerprint fingerprint;
  std::memcpy(fingerprint.data.data(), whole.data.data(), Fingerprint::kSize);
  return fingerprint;
}

}  // namespace ebb::trust
