// StrangerEnd: one handshake of a stranger, who knows what can be known of a mesh without being let
// in, and has a device and keys of his own.
//
// Model:     where the mesh has a secret, a stranger knows the mesh and has another secret; where
// it
//            has none, he has another mesh. One end makes one first message or one answer.
// Ownership: the identity must outlive it.
// Threads:   not thread-safe; owned by its talk.
// Spec:      docs/wire_format.md section 12
#pragma once

#include <memory>
#include <optional>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/rng.h"
#include "trust/identity.h"

namespace ebb::sim {

class StrangerEnd {
 public:
  struct Setup {
    bool real_channel = false;
    bool has_secret = false;  // the mesh
    MeshId mesh;
    const trust::Identity& identity;
  };

  virtual ~StrangerEnd() = default;
  // What it dials with. The mac is one of its own secret, or of nothing at all.
  virtual Bytes first(bool has_mac) = 0;
  // Message 2, whatever the mac of `message`, the first without its length, with the stranger's
  // proof and this device's name. nullopt: that is no first message.
  virtual std::optional<Bytes> answer(ByteView message, const DeviceId& named) = 0;
  // Whether it can read the message behind its answer, without its length.
  virtual bool reads(ByteView message) = 0;
};

std::unique_ptr<StrangerEnd> make_stranger_end(const StrangerEnd::Setup& setup, Rng rng);
// Where the channel is the daemon's.
std::unique_ptr<StrangerEnd> make_real_stranger_end(const StrangerEnd::Setup& setup, Rng rng);

}  // namespace ebb::sim
