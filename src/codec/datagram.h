// Datagrams between nodes that have no link: gossip, and small differences settled without one.
//
// Model:     each is whole in itself and may be lost, repeated or overtaken. decode_datagram copies
//            what it keeps, except segment bytes, which are views into the datagram.
// Errors:    kMalformed, kNotCanonical, kTooLarge; kUnsupported for another type or version.
// Limits:    limits::kDatagramBytes in all, kHeadsPerDatagram, kViewPerDatagram. A cookie is
//            smaller than the smallest root: it goes to addresses that may be forged.
// Threads:   pure functions; any thread.
// Spec:      docs/wire_format.md section 8
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "codec/message.h"
#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"

namespace ebb::codec {

// Proves to who made it that its receiver can be reached at an address. Zero: none yet.
using AddressCookie = FixedBytes<8, struct AddressCookieTag>;

// Where the sender stands, and what it knows of the receiver.
struct RootDatagram {
  AddressCookie cookie;  // to be echoed
  Fingerprint root;
  std::uint64_t count = 0;
  StoreEpoch epoch = 0;
  Arrival arrival_head = 0;
  Cursor cursor;                       // the one I hold for you
  Fingerprint view;                    // over the logs of your device that I hold
  std::uint64_t view_count = 0;        // how many they are
  std::vector<ListedHead> view_heads;  // these logs; empty when they are more than a few
  std::uint16_t listen_port = 0;
  bool answer = false;
  ScopeHash my_scope;
  ScopeHash your_scope;  // as I know it; that of mine when I do not
  bool operator==(const RootDatagram&) const = default;
};

// Heads that the receiver may lack.
struct HeadsDatagram {
  std::vector<ListedHead> heads;
  bool operator==(const HeadsDatagram&) const = default;
};

// Asks for a log from a seq on.
struct WantDatagram {
  std::vector<LogSeq> logs;
  bool operator==(const WantDatagram&) const = default;
};

struct SegmentsDatagram {
  std::vector<LogKey> keys;
  std::vector<ByteView> segments;
};

// The answer to a root that does not echo the cookie for its address.
struct CookieDatagram {
  AddressCookie cookie;  // to be echoed
  bool operator==(const CookieDatagram&) const = default;
};

// In the order of their types on the wire.
using DatagramBody =
    std::variant<RootDatagram, HeadsDatagram, WantDatagram, SegmentsDatagram, CookieDatagram>;

struct GossipDatagram {
  std::uint64_t counter = 0;
  MeshId mesh;
  DeviceId device;     // of the sender
  AddressCookie echo;  // of the cookie that the receiver gave
  DatagramBody body;
};

Bytes encode_datagram(const GossipDatagram& datagram);
Result<GossipDatagram> decode_datagram(ByteView bytes);

}  // namespace ebb::codec
