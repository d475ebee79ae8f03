#include "tests/channel/noise_vectors.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "tests/channel/blake2b.h"
#include "trust/hash.h"

namespace ebb::tests {
namespace {

using nlohmann::json;

Bytes bytes_at(const json& object, const std::string& name) {
  if (!object.contains(name)) return {};
  const auto bytes = from_hex(object.at(name).get<std::string>());
  EBB_CHECK(bytes.has_value());
  return *bytes;
}

Bytes psk_at(const json& object, const std::string& name) {
  if (!object.contains(name)) return {};
  EBB_CHECK(object.at(name).size() == 1);
  return *from_hex(object.at(name).at(0).get<std::string>());
}

NoiseEnd end_of(const json& object, channel::Role role, const std::string& prefix) {
  return {.role = role,
          .prologue = bytes_at(object, prefix + "_prologue"),
          .static_key = bytes_at(object, prefix + "_static"),
          .ephemeral_key = bytes_at(object, prefix + "_ephemeral"),
          .remote_static = bytes_at(object, prefix + "_remote_static"),
          .psk = psk_at(object, prefix + "_psks")};
}

}  // namespace

const channel::NoisePattern& NoiseVector::pattern() const {
  const std::size_t begin = std::string_view("Noise_").size();
  const std::string name = protocol_name.substr(begin, protocol_name.find('_', begin) - begin);
  for (const channel::NoisePattern* known :
       {&channel::kNoiseXx, &channel::kNoiseXxPsk3, &kNoiseIk, &kNoiseIkPsk2}) {
    if (known->name == name) return *known;
  }
  check_failed("pattern of a known answer", __FILE__, __LINE__);
}

const channel::NoiseHash& NoiseVector::hash() const {
  return protocol_name.ends_with("_BLAKE2b") ? blake2b() : channel::sha256();
}

std::vector<NoiseVector> noise_vectors() {
  EBB_CHECK(trust::crypto_ready().ok());
  std::ifstream file(EBB_SOURCE_ROOT "/tests/vectors/noise.json");
  EBB_CHECK(file.good());
  std::vector<NoiseVector> vectors;
  const json document = json::parse(file);
  for (const json& object : document.at("vectors")) {
    NoiseVector vector;
    vector.protocol_name = object.at("protocol_name").get<std::string>();
    vector.source = object.at("source").get<std::string>();
    vector.initiator = end_of(object, channel::Role::kInitiator, "init");
    vector.responder = end_of(object, channel::Role::kResponder, "resp");
    vector.handshake_hash = bytes_at(object, "handshake_hash");
    for (const json& message : object.at("messages")) {
      vector.messages.push_back({bytes_at(message, "payload"), bytes_at(message, "ciphertext")});
    }
    vectors.push_back(std::move(vector));
  }
  EBB_CHECK(!vectors.empty());
  return vectors;
}

channel::NoiseHandshake handshake_of(const NoiseVector& vector, const NoiseEnd& end) {
  channel::NoiseSetup setup;
  setup.role = end.role;
  setup.prologue = end.prologue;
  setup.static_key = channel::StaticKey(*channel::Key::from(end.static_key));
  setup.ephemeral_key = *channel::Key::from(end.ephemeral_key);
  if (!end.remote_static.empty()) {
    setup.remote_static = channel::PublicKey::from(end.remote_static);
  }
  if (!end.psk.empty()) setup.psk = channel::Key::from(end.psk);
  return channel::NoiseHandshake(vector.pattern(), vector.hash(), std::move(setup));
}

}  // namespace ebb::tests
