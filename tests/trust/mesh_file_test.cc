#include "trust/mesh_file.h"

#include <doctest/doctest.h>

#include "tests/codec/allocation_peak.h"
#include "tests/codec/samples.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

namespace {

MeshFile sample_file() {
  const Genesis genesis{counting<DeviceId>(0x90), {kSampleMs}, counting<GenesisNonce>(0xa0)};
  return {encode_genesis(genesis),
          *MeshSecret::from(counting<Hash>(0xb0).view()),
          {Bytes{1, 2, 3}, Bytes{4}}};
}

MeshFile of_device() {
  MeshFile file = sample_file();
  file.device = DeviceKeys{*Secret<32>::from(counting<Hash>(0x01).view()),
                           *Secret<32>::from(counting<Hash>(0x41).view()), "till 7"};
  return file;
}

}  // namespace

TEST_CASE("a mesh file reads back equal, with the keys of a device and without") {
  for (const bool with_device : {false, true}) {
    const MeshFile file = with_device ? of_device() : sample_file();
    const auto text = encode_mesh_file(file);
    REQUIRE(text.ok());
    CHECK(text->starts_with("ebb-mesh-2\n"));
    const auto read = decode_mesh_file(*text);
    REQUIRE(read.ok());
    CHECK(read->genesis == file.genesis);
    CHECK(read->secret == file.secret);
    CHECK(read->records == file.records);
    REQUIRE(read->device.has_value() == with_device);
    if (!with_device) continue;
    CHECK(read->device->identity == file.device->identity);
    CHECK(read->device->link == file.device->link);
    CHECK(read->device->label == "till 7");
  }
}

TEST_CASE("no secret of a mesh file stays in memory behind its making and reading") {
  MeshFile file = of_device();
  for (std::uint8_t i = 0; i < 100; ++i)
    file.records.push_back(Bytes(500, i));
  const Bytes secret = to_bytes(file.secret.view());
  // Its letters begin on a letter of their own, as those of a device's keys do.
  const std::string letters = to_base32(file.secret.view());
  const std::string of_key = to_base32(file.device->identity.view());
  for (const ByteView sought : {ByteView(secret), as_bytes(letters), as_bytes(of_key)}) {
    CAPTURE(sought.size());
    const GivenBack given_back(sought);
    auto text = encode_mesh_file(file);
    REQUIRE(text.ok());
    CHECK(given_back.blocks() == 0);
    CHECK(decode_mesh_file(*text).ok());
    CHECK(given_back.blocks() == 0);
    erase_text(*text);
  }
}

TEST_CASE("line ends of another system and a missing last one are no fault of the file") {
  std::string text = encode_mesh_file(of_device()).value();
  text.pop_back();
  CHECK(decode_mesh_file(text).ok());
  std::string windows;
  for (const char c : text)
    windows.append(c == '\n' ? " \r\n" : std::string(1, c));
  CHECK(decode_mesh_file(windows + "\r\n\r\n").ok());
}

TEST_CASE("a damaged mesh file is refused, whatever was done to it") {
  const std::string text = encode_mesh_file(of_device()).value();
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    CAPTURE(i);
    CHECK_FALSE(decode_mesh_file(text.substr(0, i)).ok());
    std::string bad = text;
    bad[i] = bad[i] == 'b' ? 'c' : 'b';
    CHECK_FALSE(decode_mesh_file(bad).ok());
  }
  CHECK(decode_mesh_file(text + "more\n").error().code == ErrorCode::kCorrupt);
  // A line that is gone.
  const std::size_t second = text.find('\n') + 1;
  const std::size_t third = text.find('\n', second) + 1;
  CHECK(decode_mesh_file(text.substr(0, second) + text.substr(third)).error().code ==
        ErrorCode::kCorrupt);
  CHECK(decode_mesh_file("ebb-mesh-1\naaaa\n").error().code == ErrorCode::kUnsupported);
  CHECK(decode_mesh_file("hello").error().code == ErrorCode::kMalformed);
  CHECK(decode_mesh_file(std::string(std::size_t{2} << 20, 'a')).error().code ==
        ErrorCode::kMalformed);
}

TEST_CASE("a file of authorities' records reads back, and no part of it without the rest") {
  const std::vector<Bytes> records{Bytes{1, 2, 3}, Bytes{9}, Bytes(3000, 7)};
  const std::string text = encode_authority_file(records).value();
  CHECK(decode_authority_file(text).value() == records);
  CHECK(decode_authority_file(encode_authority_file({}).value()).value().empty());
  for (std::size_t size = 0; size + 1 < text.size(); size += 7)
    CHECK_FALSE(decode_authority_file(text.substr(0, size)).ok());
  CHECK_FALSE(decode_authority_file(encode_mesh_file(sample_file()).value()).ok());
}
