#include "core/secret.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include "tests/codec/allocation_peak.h"

using namespace ebb;
using ebb::tests::GivenBack;

namespace {

// Its letters stand nowhere else in memory.
std::string secret_letters() {
  std::string text;
  for (int i = 0; i < 64; ++i)
    text.push_back(static_cast<char>('a' + (7 * i + i / 9) % 26));
  return text;
}

}  // namespace

TEST_CASE("a text that is a secret leaves nothing behind as it grows, moves and goes") {
  const std::string letters = secret_letters();
  const GivenBack given_back(as_bytes(letters));
  {
    // On the heap, so that what a short text has in itself is seen, too.
    auto text = std::make_unique<SecretText>();
    for (int i = 0; i < 100; ++i) {
      append_secret(text->text, letters);
      CHECK(given_back.blocks() == 0);
    }
    CHECK(text->text.size() == 100 * letters.size());
    auto other = std::make_unique<SecretText>(std::move(*text));
    CHECK(text->text.empty());
    text.reset();
    CHECK(std::string_view(*other).starts_with(letters));
    *other = SecretText(letters);
    CHECK(other->text == letters);
  }
  CHECK(given_back.blocks() == 0);
}

TEST_CASE("a short text that is a secret leaves nothing in the value that it was moved out of") {
  const std::string letters = secret_letters().substr(0, 12);
  // An empty text has no letter in front, whatever stands behind.
  const GivenBack given_back(as_bytes(letters).subspan(2, 8));
  auto first = std::make_unique<SecretText>(letters);
  auto second = std::make_unique<SecretText>(std::move(*first));
  first.reset();
  CHECK(given_back.blocks() == 0);
  CHECK(second->text == letters);
  second.reset();
  CHECK(given_back.blocks() == 0);
}

TEST_CASE("of a text that was made shorter the rest is erased, too") {
  const std::string letters = secret_letters();
  const GivenBack given_back(as_bytes(letters));
  auto text = std::make_unique<std::string>("0123456789" + letters);
  text->resize(3);
  erase_text(*text);
  CHECK(text->empty());
  text.reset();
  CHECK(given_back.blocks() == 0);
}
