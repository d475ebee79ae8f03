#include "trust/genesis.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "codec/value.h"
#include "tests/codec/samples.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

namespace {

Genesis sample_genesis() {
  return {counting<DeviceId>(0x90), {kSampleMs}, counting<GenesisNonce>(0xa0)};
}

MeshFile sample_file() { return {encode_genesis(sample_genesis()), *MeshSecret::from(counting<Hash>(0xb0).view())}; }

}  // namespace

TEST_CASE("a genesis reads back equal, and another one is another mesh") {
  const Bytes bytes = encode_genesis(sample_genesis());
  const auto decoded = decode_genesis(bytes);
  REQUIRE(decoded.ok());
  CHECK(*decoded == sample_genesis());
  Genesis other = sample_genesis();
  other.nonce.data[0] ^= 1;
  CHECK(mesh_id(encode_genesis(other)) != mesh_id(bytes));
}

TEST_CASE("a genesis that is cut, of another label or not canonical is refused") {
  const Bytes bytes = encode_genesis(sample_genesis());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(decode_genesis(ByteView(bytes).first(size)).ok());
  }
  Bytes label = bytes;
  label[14] = '2';
  CHECK(decode_genesis(label).error().code == ErrorCode::kMalformed);
  Bytes longer{0xdc, 0x00, 0x04};
  longer.insert(longer.end(), bytes.begin() + 1, bytes.end());
  CHECK(decode_genesis(longer).error().code == ErrorCode::kNotCanonical);
}

TEST_CASE("the mesh file is three lines and reads back equal") {
  const std::string text = encode_mesh_file(sample_file());
  CHECK(std::count(text.begin(), text.end(), '\n') == 3);
  CHECK(text.starts_with("ebb-mesh-1\n"));
  const auto decoded = decode_mesh_file(text);
  REQUIRE(decoded.ok());
  CHECK(decoded->genesis == sample_file().genesis);
  CHECK(decoded->secret == sample_file().secret);
}

TEST_CASE("line ends of another system and a missing last one are no fault of the file") {
  std::string text = encode_mesh_file(sample_file());
  text.pop_back();
  CHECK(decode_mesh_file(text).ok());
  std::string windows;
  for (char c : text)
    windows.append(c == '\n' ? "\r\n" : std::string(1, c));
  CHECK(decode_mesh_file(windows + "\r\n").ok());
}

TEST_CASE("a damaged mesh file is refused, whatever was done to it") {
  const std::string text = encode_mesh_file(sample_file());
  for (std::size_t size = 0; size + 1 < text.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(decode_mesh_file(text.substr(0, size)).ok());
  }
  CHECK_FALSE(decode_mesh_file(text + "more\n").ok());
  CHECK_FALSE(decode_mesh_file("\n" + text).ok());
  CHECK_FALSE(decode_mesh_file(std::string(std::size_t{1} << 20, 'a')).ok());
  std::string bad = text;
  bad[text.find('\n') + 3] = '!';
  CHECK(decode_mesh_file(bad).error().code == ErrorCode::kMalformed);
}
