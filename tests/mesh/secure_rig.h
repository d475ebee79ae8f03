// Engines over the real channel, with keys that are the same in each run.
//
// Threads: not thread-safe; one test.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "mesh/secure_channel.h"
#include "tests/channel/ends.h"
#include "tests/mesh/rig.h"
#include "trust/hash.h"

namespace ebb::tests {

inline const trust::SignatureCheck kSignatureCheck;

struct WireVersions {
  std::uint64_t min = codec::kWireVersion;
  std::uint64_t max = codec::kWireVersion;
};

inline std::unique_ptr<mesh::Channels> secure(const trust::Identity& identity, std::uint8_t seed,
                                              const MeshId& mesh, const trust::MeshSecret& secret,
                                              WireVersions versions = {}) {
  struct WithBook final : mesh::Channels {
    explicit WithBook(channel::AccessKeys links) : book(std::move(links)) {}
    std::uint32_t random_index() const override { return channels->random_index(); }
    std::unique_ptr<mesh::Channel> dial(mesh::ChannelClaim own) const override {
      return channels->dial(std::move(own));
    }
    std::unique_ptr<mesh::Channel> accept(mesh::ChannelClaim own,
                                          mesh::MayAnswer may_answer) const override {
      return channels->accept(std::move(own), std::move(may_answer));
    }
    mesh::AccessBook book;
    std::optional<mesh::SecureChannels> channels;
  };
  channel::AccessKeys links;
  links.push_back(channel::AccessKey::for_link(mesh, secret));
  auto made = std::make_unique<WithBook>(std::move(links));
  made->channels.emplace(mesh::SecureSetup{
      identity, kSignatureCheck, channel::StaticKey(key_of(seed)), made->book,
      [next = seed]() mutable { return key_of(++next); }, versions.min, versions.max});
  return made;
}

// Two nodes over the real channel, the first of which dials the second.
struct SecurePair : Rig {
  SecurePair() {
    EBB_CHECK(trust::crypto_ready().ok());
    for (std::uint8_t i = 0; i < 2; ++i) {
      add_node(static_cast<std::uint8_t>(i + 1));
      speak(i, {});
    }
    node(0).config.peers = {address(1)};
  }
  // Before the start.
  void speak(std::size_t i, WireVersions versions) {
    node(i).channels = secure(store(i).identity(), static_cast<std::uint8_t>(90 * i + 10),
                              test_mesh(), kMeshSecret, versions);
  }
  void start_both() {
    start(0);
    start(1);
  }
};

}  // namespace ebb::tests
