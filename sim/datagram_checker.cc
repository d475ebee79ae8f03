#include "sim/datagram_checker.h"

#include <utility>
#include <variant>

namespace ebb::sim {

void DatagramChecker::opened(HostIndex host) { hosts_.erase(host); }

void DatagramChecker::received(HostIndex host, const std::string& from, ByteView bytes) {
  const Result<codec::GossipDatagram> datagram = codec::decode_datagram(bytes);
  if (!datagram.ok()) return;
  Address& address = hosts_[host][from];
  if (address.cookies.contains(datagram->echo)) address.proven = true;
  const auto* root = std::get_if<codec::RootDatagram>(&datagram->body);
  if (root != nullptr && !root->answer) address.question_bytes = bytes.size();
}

void DatagramChecker::sent(HostIndex host, const std::string& to, ByteView bytes) {
  const Result<codec::GossipDatagram> datagram = codec::decode_datagram(bytes);
  if (!datagram.ok()) return findings_.add("datagram", host, "is sent and not to be read");
  Address& address = hosts_[host][to];
  if (const auto* cookie = std::get_if<codec::CookieDatagram>(&datagram->body)) {
    address.cookies.insert(cookie->cookie);
    const std::size_t asked = std::exchange(address.question_bytes, 0);
    if (bytes.size() < asked) return;
    return findings_.add("datagram", host, "a cookie is no smaller than what it answers");
  }
  const auto* root = std::get_if<codec::RootDatagram>(&datagram->body);
  if (root != nullptr) address.cookies.insert(root->cookie);
  const bool question = root != nullptr && !root->answer;
  if (question || address.proven) return;
  findings_.add("datagram", host, "tells " + to + " what it holds, who has echoed no cookie");
}

}  // namespace ebb::sim
