#include "sim/stranger_checker.h"

#include <algorithm>
#include <utility>

namespace ebb::sim {
namespace {

constexpr const char* kName = "strangers";

}  // namespace

void StrangerChecker::set(const std::vector<DeviceId>& strangers, std::vector<DeviceId> hosts,
                          bool hides) {
  strangers_ = {strangers.begin(), strangers.end()};
  hosts_ = std::move(hosts);
  hides_ = hides;
}

void StrangerChecker::answered(HostIndex host) {
  findings_.add(kName, host, "answers who has no mac");
}

void StrangerChecker::went_on(HostIndex host) {
  findings_.add(kName, host, "goes on with who repeats a handshake");
}

void StrangerChecker::was_read(HostIndex host) {
  findings_.add(kName, host, "sends what a stranger can read");
}

void StrangerChecker::passed(HostIndex host, ByteView bytes) {
  if (!hides_) return;
  for (const DeviceId& device : hosts_) {
    if (std::search(bytes.begin(), bytes.end(), device.data.begin(), device.data.end()) ==
        bytes.end()) {
      continue;
    }
    findings_.add(kName, host, "names a device to who is between");
  }
}

void StrangerChecker::check(const Hosts& hosts) {
  if (strangers_.empty()) return;
  for (HostIndex index = 0; index < hosts.size(); ++index) {
    const Host& host = *hosts[index];
    if (!host.running() || !host.honest()) continue;
    for (const mesh::KnownPeer& peer : host.engine()->peers()) {
      if (is_stranger(peer.device)) findings_.add(kName, index, "takes a stranger for a peer");
    }
    for (const store::PeerRow& row : host.storage().store()->peers()) {
      if (is_stranger(row.device)) findings_.add(kName, index, "stores a stranger as a peer");
    }
  }
}

void StrangerChecker::check_at_rest(const Hosts& hosts) {
  check(hosts);
  if (strangers_.empty()) return;
  for (HostIndex index = 0; index < hosts.size(); ++index) {
    const Host& host = *hosts[index];
    if (!host.running() || !host.honest()) continue;
    for (const mesh::LinkStatus& link : host.engine()->links()) {
      // Who has answered a dial may have named himself, and that is all.
      const bool began = link.state == "connecting" || link.state == "greeting";
      if (is_stranger(link.peer) && !began) findings_.add(kName, index, "has a stranger's link");
    }
    for (const store::HeadRecord& head : host.storage().store()->heads()) {
      if (is_stranger(head.key.device)) findings_.add(kName, index, "holds a stranger's events");
    }
  }
}

}  // namespace ebb::sim
