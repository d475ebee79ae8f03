// rig_flood datagrams HOST:PORT COUNT PER_SECOND SEED < CAPTURED
//   CAPTURED: a datagram a line, in hex; may be empty.
// rig_flood handshakes HOST:PORT MESH_FILE SECONDS PER_SECOND
// rig_flood sink
// The first two print what was sent and what came back, as one JSON object.
#include <arpa/inet.h>
#include <sodium.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "channel/handshake.h"
#include "tests/rig/flood/flood.h"
#include "trust/hash.h"
#include "trust/mesh_file.h"

namespace ebb::tests {

void require(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::exit(1);
}

sockaddr_in source_address(std::size_t number) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(0x7f100001U + static_cast<std::uint32_t>(number));
  return address;
}

Bytes random_bytes(Rng& rng, std::size_t size) {
  Bytes bytes((size + 7) / 8 * 8);
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    const std::uint64_t word = rng.next();
    std::memcpy(&bytes[at], &word, sizeof word);
  }
  bytes.resize(size);
  return bytes;
}

namespace {

constexpr std::size_t kSources = 1000;
constexpr std::size_t kMessages = 4096;  // of a kind

sockaddr_in target_of(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  const bool is_address =
      colon != std::string::npos &&
      ::inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) == 1;
  require(is_address, "HOST:PORT");
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoul(text.substr(colon + 1))));
  return address;
}

channel::Key random_key() {
  Bytes bytes(channel::Key::kSize);
  randombytes_buf(bytes.data(), bytes.size());
  return *channel::Key::from(bytes);
}

channel::AccessKey access_of(const std::string& mesh_file) {
  std::ifstream file(mesh_file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto mesh = trust::decode_mesh_file(text);
  require(mesh.ok(), "MESH_FILE");
  return channel::AccessKey::for_link(trust::mesh_id(mesh->genesis), mesh->secret);
}

int datagrams(char** words) {
  DatagramFlood flood;
  flood.target = target_of(words[0]);
  flood.count = std::stoull(words[1]);
  flood.per_second = std::stoull(words[2]);
  flood.seed = std::stoull(words[3]);
  for (std::string line; std::getline(std::cin, line);) {
    const auto bytes = from_hex(line);
    require(bytes && !bytes->empty(), "CAPTURED");
    flood.captured.push_back(*bytes);
  }
  const DatagramsSent done = send_datagrams(flood);
  std::printf("{\"sent\":%" PRIu64 ",\"captured\":%" PRIu64 ",\"answers\":%" PRIu64
              ",\"seconds\":%.3f}\n",
              done.sent, done.captured, done.answers, done.seconds);
  return 0;
}

int handshakes(char** words) {
  HandshakeFlood flood;
  flood.target = target_of(words[0]);
  const channel::AccessKey access = access_of(words[1]);
  flood.sources = kSources;
  flood.seconds = std::stod(words[2]);
  flood.per_second = std::stoull(words[3]);
  for (std::size_t i = 0; i < kMessages; ++i) {
    channel::HandshakeKeys keys{channel::StaticKey(random_key()), random_key()};
    Bytes message;
    channel::Handshake::initiator(access, std::move(keys))->start(message);
    flood.with_mac.push_back(message);
    message[2 + i % channel::kMacBytes] ^= 1;
    flood.without_mac.push_back(message);
  }
  const HandshakesSent done = send_handshakes(flood);
  std::printf("{\"sent\":%" PRIu64 ",\"with_mac\":%" PRIu64 ",\"answered\":%" PRIu64
              ",\"bytes_back\":%" PRIu64 ",\"not_reached\":%" PRIu64 ",\"beyond\":%" PRIu64
              ",\"seconds\":%.3f}\n",
              done.sent, done.with_mac, done.answered, done.bytes_back, done.not_reached,
              done.beyond, done.seconds);
  return 0;
}

}  // namespace
}  // namespace ebb::tests

int main(int argc, char** argv) {
  ebb::tests::require(ebb::trust::crypto_ready().ok(), "libsodium");
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "datagrams" && argc == 6) return ebb::tests::datagrams(argv + 2);
  if (mode == "handshakes" && argc == 6) return ebb::tests::handshakes(argv + 2);
  if (mode == "sink" && argc == 2) {
    ebb::tests::run_sink();
    return 0;
  }
  std::fprintf(stderr, "usage: rig_flood datagrams|handshakes|sink ... (see the source)\n");
  return 2;
}
