#include "sim/datagram_checker.h"

#include <cstdint>

#include "channel/datagrams.h"
#include "codec/datagram.h"
#include "sim/words.h"

namespace ebb::sim {
namespace {

std::uint64_t hash_of(ByteView bytes) {
  std::uint64_t hash = bytes.size();
  words_of(bytes, [&hash](std::uint64_t word) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
    hash ^= hash >> 29;
  });
  return hash;
}

bool reads(ByteView bytes) {
  if (bytes.size() < channel::kDatagramHeaderBytes + channel::kTagBytes) return true;
  const ByteView sealed = bytes.subspan(channel::kDatagramHeaderBytes);
  const ByteView body = sealed.first(sealed.size() - channel::kTagBytes);
  return codec::decode_datagram(bytes[0], body).ok();
}

}  // namespace

void DatagramChecker::sent(HostIndex host, ByteView bytes) {
  if (reads(bytes)) findings_.add("datagram", host, "sends a datagram that is not sealed");
}

void DatagramChecker::left(ByteView bytes) { on_the_way_.emplace(hash_of(bytes), false); }

void DatagramChecker::taken(HostIndex host, ByteView bytes) {
  const auto sent = on_the_way_.find(hash_of(bytes));
  if (sent == on_the_way_.end()) {
    findings_.add("datagram", host, "takes a datagram that nobody has sent so");
  } else if (sent->second) {
    findings_.add("datagram", host, "takes a datagram twice");
  } else {
    sent->second = true;
  }
}

}  // namespace ebb::sim
