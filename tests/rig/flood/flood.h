// Strangers by the thousand: what a node is sent by whoever reaches its port, from many addresses
// of loopback (127.16.0.1 and on), and how much of an answer they got.
//
// Errors:  a failed call of the system prints its name and ends the program: a flood that was not
//          sent proves nothing.
// Threads: call on the main thread.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/bytes.h"
#include "core/rng.h"

namespace ebb::tests {

// Ends the program with `what` and the system's words unless `ok`.
void require(bool ok, const char* what);

// Address `number` of loopback, with a port that the system chooses.
sockaddr_in source_address(std::size_t number);
Bytes random_bytes(Rng& rng, std::size_t size);

struct DatagramFlood {
  sockaddr_in target{};
  std::uint64_t count = 0;
  std::uint64_t per_second = 0;
  std::uint64_t seed = 0;
  std::vector<Bytes> captured;  // what a device has sent to the target before
};
struct DatagramsSent {
  std::uint64_t sent = 0;
  std::uint64_t captured = 0;  // of these, as they were
  std::uint64_t answers = 0;   // datagrams that came back to any of the senders
  double seconds = 0;
};
// In equal parts bytes without meaning, right headers in front of such bytes and, where there are
// any, those that were captured: as they were, under a number to come, and with one bit flipped.
DatagramsSent send_datagrams(const DatagramFlood& flood);

struct HandshakeFlood {
  sockaddr_in target{};
  std::size_t sources = 0;
  std::uint64_t per_second = 0;
  double seconds = 0;
  std::vector<Bytes> with_mac;     // first messages, used in turn
  std::vector<Bytes> without_mac;  // the same
};
struct HandshakesSent {
  std::uint64_t sent = 0;         // first messages that a connection has taken
  std::uint64_t with_mac = 0;     // of these
  std::uint64_t answered = 0;     // of those with a mac
  std::uint64_t bytes_back = 0;   // to those without
  std::uint64_t not_reached = 0;  // connections that never came up, or were reset before
  std::uint64_t beyond = 0;       // not begun, as too many were open
  double seconds = 0;
};
// Each on a connection of its own, which is left once something came back, or its end.
HandshakesSent send_handshakes(const HandshakeFlood& flood);

// What takes such connections at least: listens on loopback, prints where, reads once from each and
// closes it, until standard input ends.
void run_sink();

}  // namespace ebb::tests
