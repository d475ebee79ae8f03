#include "trust/invite.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "codec/value.h"
#include "core/limits.h"
#include "tests/codec/allocation_peak.h"
#include "tests/trust/authority_rig.h"
#include "tests/vectors/vector_file.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

namespace {

Invite sample() {
  return {counting<Hash>(0x10),
          {"192.0.2.7:7700", "[2001:db8::7]:7700"},
          counting<LinkKey>(0x40),
          *InviteSecret::from(counting<Hash>(0xc0).view()),
          kNow,
          {kNow.ms + 3600000}};
}

std::string sample_line() { return std::move(encode_invite(sample())).value(); }

ErrorCode fault(std::string_view text) {
  const auto invite = decode_invite(text);
  REQUIRE_FALSE(invite.ok());
  return invite.error().code;
}

// A line with this body, its checksum right.
std::string line_of(Bytes body) {
  const Hash sum = hash({as_bytes("ebb-invite-1"), body});
  append(body, sum.view().first(5));
  return "ebb1-" + to_base32(body);
}

Bytes body_of(const std::string& line) {
  Bytes bytes = *from_base32(line.substr(5));
  bytes.resize(bytes.size() - 5);
  return bytes;
}

}  // namespace

TEST_CASE("an invite is one line, and reads back equal") {
  const std::string line = sample_line();
  CHECK(line.starts_with("ebb1-"));
  CHECK(line.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567", 5) == std::string::npos);
  const auto read = decode_invite(line);
  REQUIRE(read.ok());
  CHECK(*read == sample());
  CHECK(read->mesh() == counting<MeshId>(0x10));
  CHECK(line == as_text(VectorFile("trust.txt").at("invite")));
}

TEST_CASE("copying does an invite no harm") {
  const std::string line = sample_line();
  std::string copied = "  \t";
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    copied.push_back(i % 3 == 0 && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    if (i % 60 == 59) copied.append("\r\n");
    if (i % 50 == 49) copied.push_back(' ');
  }
  copied.append("\n");
  const auto read = decode_invite(copied);
  REQUIRE(read.ok());
  CHECK(*read == sample());
}

TEST_CASE("any letter that is wrong, missing or too many makes an invite a damaged one") {
  const std::string line = sample_line();
  for (std::size_t i = 5; i < line.size(); ++i) {
    CAPTURE(i);
    for (const char other : {'a', '7', '1', '-', '\x80', '_'}) {
      if (line[i] == other) continue;
      std::string typo = line;
      typo[i] = other;
      CHECK(fault(typo) == ErrorCode::kCorrupt);
    }
    CHECK(fault(line.substr(0, i)) == ErrorCode::kCorrupt);
    if (i + 1 < line.size() && line[i] != line[i + 1]) {
      std::string swapped = line;
      std::swap(swapped[i], swapped[i + 1]);
      CHECK(fault(swapped) == ErrorCode::kCorrupt);
    }
  }
  CHECK(fault(line + "a") == ErrorCode::kCorrupt);
  CHECK(fault(line + line) == ErrorCode::kCorrupt);
}

TEST_CASE("what is no invite, and one of a later version, are told from a damaged one") {
  const std::string line = sample_line();
  for (const char* text :
       {"", "ebb", "ebb1", "ebb-", "ebb-mesh-1", "ebbx-aa", "hello", "ebb12345-a"})
    CHECK(fault(text) == ErrorCode::kMalformed);
  CHECK(fault(line.substr(1)) == ErrorCode::kMalformed);
  CHECK(fault("ebb2-" + line.substr(5)) == ErrorCode::kUnsupported);
  CHECK(fault("ebb10-anything: at all") == ErrorCode::kUnsupported);
  CHECK(fault("ebb01-aa") == ErrorCode::kUnsupported);
  CHECK(fault(std::string(limits::kInviteCharacters + 1, 'a')) == ErrorCode::kTooLarge);
}

TEST_CASE("a line that is right but says nothing that can be is damaged too") {
  const Bytes body = body_of(sample_line());
  CHECK(decode_invite(line_of(body)).ok());
  for (std::size_t size = 0; size < body.size(); ++size)
    CHECK(fault(line_of(Bytes(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size)))) ==
          ErrorCode::kCorrupt);
  Bytes more = body;
  more.push_back(0);
  CHECK(fault(line_of(more)) == ErrorCode::kCorrupt);
  // What a later writer adds is passed by.
  Bytes later = body;
  later[0] = static_cast<std::uint8_t>(later[0] + 1);
  codec::Writer(later).str("later");
  CHECK(*decode_invite(line_of(later)) == sample());
}

TEST_CASE("an invite out of bounds is not made") {
  const auto refusal = [](const Invite& invite) { return encode_invite(invite).error().code; };
  Invite invite = sample();
  invite.addresses.clear();
  CHECK(refusal(invite) == ErrorCode::kInvalidArgument);
  invite.addresses = {"no port"};
  CHECK(refusal(invite) == ErrorCode::kInvalidArgument);
  invite.addresses.assign(limits::kInviteAddresses,
                          std::string(limits::kPresenceAddressBytes - 5, 'h') + ":7700");
  const auto longest = encode_invite(invite);
  REQUIRE(longest.ok());
  CHECK(longest->size() <= limits::kInviteCharacters);
  CHECK(*decode_invite(*longest) == invite);
  invite.addresses[0].insert(0, "h");
  CHECK(refusal(invite) == ErrorCode::kTooLarge);
  invite.addresses.assign(limits::kInviteAddresses + 1, "a:1");
  CHECK(refusal(invite) == ErrorCode::kTooLarge);
  invite = sample();
  invite.expires = invite.made;
  CHECK(refusal(invite) == ErrorCode::kInvalidArgument);
}

TEST_CASE("an invite that is over is told from a clock that is wrong") {
  const Invite invite = sample();
  CHECK(invite_time(invite, kNow) == InviteTime::kOpen);
  CHECK(invite_time(invite, {kNow.ms + 3599999}) == InviteTime::kOpen);
  CHECK(invite_time(invite, {kNow.ms + 3600000}) == InviteTime::kExpired);
  CHECK(invite_time(invite, {kNow.ms - 600000}) == InviteTime::kOpen);
  CHECK(invite_time(invite, {kNow.ms - 600001}) == InviteTime::kClockWrong);
  CHECK(invite_time(invite, {0}) == InviteTime::kClockWrong);
}

TEST_CASE("neither the secret of an invite nor its letters stay in memory behind reading it") {
  const Invite invite = sample();
  const std::string line = sample_line();
  const Bytes secret = to_bytes(invite.secret.view());
  const Bytes body = body_of(line);
  const auto at = std::search(body.begin(), body.end(), secret.begin(), secret.end());
  REQUIRE(at != body.end());
  // Letters that say nothing but some of the secret's bits.
  const auto first = static_cast<std::size_t>(at - body.begin()) * 8 / 5 + 1;
  const std::string letters = line.substr(5 + first, 24);
  std::string wrong = line;
  wrong.back() = wrong.back() == 'a' ? 'b' : 'a';
  std::string ended = line;
  ended[ended.size() - 2] = '1';
  for (const ByteView sought : {ByteView(secret), as_bytes(letters)}) {
    CAPTURE(sought.size());
    const GivenBack given_back(sought);
    CHECK(decode_invite(line).ok());
    CHECK(given_back.blocks() == 0);
    CHECK_FALSE(decode_invite(wrong).ok());
    CHECK_FALSE(decode_invite(ended).ok());
    CHECK(given_back.blocks() == 0);
    auto made = encode_invite(invite);
    REQUIRE(made.ok());
    CHECK(given_back.blocks() == 0);
    erase_text(*made);
  }
}
