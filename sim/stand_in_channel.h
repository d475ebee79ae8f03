// StandInChannels: what the secure channel is to the engine, at the cost of a few multiplications a
// byte: the same messages of the same lengths, with a keyed hash where that has ciphers, and the
// device proven by the simulated host's own identity. It hides nothing, and finds every byte that
// is not as it was sent.
//
// Model:     who dialled sends a nonce with a mac of mesh and secret, the other its nonce, payload
//            with device and signature, and the first its own (sim/stand_in_messages.h); then
//            records with a tag over their number, header and plaintext, keyed by both nonces and
//            the secret. Without the mac nothing is answered.
// Ownership: identity and signatures must outlive the factory, the factory its channels; `rng` is
//            the host's.
// Errors:    as mesh::Channel.
// Threads:   not thread-safe; owned by its host.
#pragma once

#include <memory>

#include "core/ids.h"
#include "core/rng.h"
#include "mesh/channel.h"
#include "sim/stand_in_messages.h"
#include "trust/identity.h"

namespace ebb::sim {

// The link key of a device whose channels are stand-ins.
trust::LinkKey stand_in_link_key(const DeviceId& device);

class StandInChannels final : public mesh::Channels {
 public:
  // `secret`: of the mesh; empty: it has none.
  StandInChannels(const MeshId& mesh, ByteView secret, const trust::Identity& identity,
                  const trust::SignatureCheck& signatures, Rng rng)
      : messages_(mesh, secret), identity_(identity), signatures_(signatures), rng_(rng) {}
  std::uint32_t random_index() const override;
  std::unique_ptr<mesh::Channel> dial(mesh::ChannelClaim own) const override;
  std::unique_ptr<mesh::Channel> accept(mesh::ChannelClaim own,
                                        mesh::MayAnswer may_answer) const override;

 private:
  std::unique_ptr<mesh::Channel> make(bool dialled, mesh::ChannelClaim own,
                                      mesh::MayAnswer may_answer) const;

  StandInMessages messages_;
  const trust::Identity& identity_;
  const trust::SignatureCheck& signatures_;
  mutable Rng rng_;
};

}  // namespace ebb::sim
