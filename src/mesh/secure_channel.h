// SecureChannels: channels of Noise handshakes and sealed records, in which each end proves its
// device key. They have no source of random bytes of their own: an engine's generator is none for
// keys, so whoever makes the factory gives one.
//
// Model:     which device a link is of comes from the proof in the handshake and from nothing
//            else. The dialling end sees the other's proof before it shows its own. Without the
//            mac of message 1 the dialled end says nothing at all.
// Ownership: identity, signatures and access must outlive the factory, the factory its channels.
//            Keys of a
//            handshake are erased with it, keys of a direction behind its end.
// Errors:    as Channel.
// Threads:   the factory is immutable, and called on the thread of its engine, as is `ephemeral`.
// Spec:      docs/wire_format.md section 12
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "channel/access_key.h"
#include "channel/noise_keys.h"
#include "channel/secret.h"
#include "codec/message.h"
#include "mesh/access_book.h"
#include "mesh/channel.h"
#include "trust/identity.h"

namespace ebb::mesh {

struct SecureSetup {
  const trust::Identity& identity;
  const trust::SignatureCheck& signatures;  // who judges the proofs of others
  channel::StaticKey link_key;
  // What is dialled with (the first), and what others may dial with.
  const AccessBook& access;
  // 32 bytes that nobody can foretell and nobody gets again, for each handshake.
  std::function<channel::Key()> ephemeral;
  std::uint64_t wire_min = codec::kWireVersion;
  std::uint64_t wire_max = codec::kWireVersion;
  // Who joins knows the link key of who has invited it, and dials nobody else: another one is
  // kBadProof, before anything is shown to it.
  std::optional<trust::LinkKey> expected = std::nullopt;
};

class SecureChannels final : public Channels {
 public:
  explicit SecureChannels(SecureSetup setup) : setup_(std::move(setup)) {}
  std::uint32_t random_index() const override;
  std::unique_ptr<Channel> dial(ChannelClaim own) const override;
  std::unique_ptr<Channel> accept(ChannelClaim own, MayAnswer may_answer) const override;

 private:
  SecureSetup setup_;
};

}  // namespace ebb::mesh
