// Whether a node is cut off from what others write, by the certificates of its neighbours.
#include "node/neighbours.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string_view>

namespace ebb::tests {
namespace {

DeviceId device(std::uint8_t number) {
  DeviceId id;
  id.data[0] = number;
  return id;
}

mesh::LinkStatus link(std::uint8_t number, bool may_relay, std::string_view state = "in_sync") {
  mesh::LinkStatus status;
  status.peer = device(number);
  status.may_relay = may_relay;
  status.state = state;
  return status;
}

mesh::KnownPeer peer(std::uint8_t number, std::string_view state = "heard") {
  mesh::KnownPeer known;
  known.device = device(number);
  known.state = state;
  return known;
}

TEST_CASE("a node is without relay when no neighbour may be one, and there are others") {
  using node::is_without_relay;
  CHECK(is_without_relay({link(1, false), link(2, false)}, {peer(1), peer(3)}));
  CHECK_FALSE(is_without_relay({link(1, false), link(2, true)}, {peer(1), peer(3)}));
  // Nobody else is known.
  CHECK_FALSE(is_without_relay({link(1, false)}, {peer(1), peer(9, "self")}));
  // Alone, or not greeted yet.
  CHECK_FALSE(is_without_relay({}, {peer(3)}));
  CHECK_FALSE(is_without_relay({link(1, false, "greeting")}, {peer(3)}));
  CHECK(is_without_relay({link(1, false), link(2, true, "connecting")}, {peer(3)}));
}

}  // namespace
}  // namespace ebb::tests
