// DatagramChecker: what honest hosts send by datagram is sealed, and what any host takes was sent
// to a host as it is, and is taken once.
//
// Model:   goes by what was on the wire; keys it does not know. A datagram counts as sealed when
//          what is behind its header does not read as what a datagram says; as the one that was
//          sent when every byte is the same.
// Threads: not thread-safe; owned by one run.
#pragma once

#include <cstdint>
#include <map>

#include "core/bytes.h"
#include "sim/observer.h"

namespace ebb::sim {

class DatagramChecker {
 public:
  explicit DatagramChecker(Findings& findings) : findings_(findings) {}  // must outlive it

  // As its engine sends it.
  void sent(HostIndex host, ByteView bytes);
  // As it leaves a host; a liar seals other words.
  void left(ByteView bytes);
  // Its engine has opened it.
  void taken(HostIndex host, ByteView bytes);

 private:
  Findings& findings_;
  std::map<std::uint64_t, bool> on_the_way_;  // by hash; true: taken
};

}  // namespace ebb::sim
