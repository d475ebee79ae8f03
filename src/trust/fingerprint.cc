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

FingerprintSum FingerprintSum::of(const LogId& log, const Position& position) {
  FingerprintSum one;
  if (position.seq == 0) return one;
  one.sum_ = entry_of(log, position);
  one.count_ = 1;
  return one;
}

void FingerprintSum::add(const LogId& log, const Position& position) { add(of(log, position)); }

void FingerprintSum::remove(const LogId& log, const Position& position) {
  remove(of(log, position));
}

void FingerprintSum::add(const FingerprintSum& other) {
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < sum_.size(); ++i) {
    const std::uint64_t partial = sum_[i] + other.sum_[i];
    const std::uint64_t total = partial + carry;
    carry = (partial < other.sum_[i] || total < partial) ? 1 : 0;
    sum_[i] = total;
  }
  count_ += other.count_;
}

void FingerprintSum::remove(const FingerprintSum& other) {
  EBB_CHECK(count_ >= other.count_);
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < sum_.size(); ++i) {
    const std::uint64_t partial = sum_[i] - other.sum_[i];
    const std::uint64_t total = partial - borrow;
    borrow = (sum_[i] < other.sum_[i] || partial < borrow) ? 1 : 0;
    sum_[i] = total;
  }
  count_ -= other.count_;
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
