// What datagrams between nodes that have no link say: gossip, and small differences settled without
// one. The header around it, and the seal, are the channel's (channel/datagrams.h).
//
// Model:     each is whole in itself and may be lost or overtaken. decode_datagram copies what it
//            keeps, except segment bytes, which are views into `plain`.
// Errors:    kMalformed, kNotCanonical, kTooLarge; kUnsupported for another type.
// Limits:    kDatagramBodyBytes in all, limits::kHeadsPerDatagram, kViewPerDatagram.
// Threads:   pure functions; any thread.
// Spec:      docs/wire_format.md section 8
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "codec/message.h"
#include "core/bytes.h"
#include "core/ids.h"
#include "core/limits.h"
#include "core/result.h"

namespace ebb::codec {

// What a sealed datagram has room for, between its header and its tag.
inline constexpr std::size_t kDatagramBodyBytes = limits::kDatagramBytes - 32;

// Of the questions of one sender to one receiver, so that an answer is of a question that was
// asked: 1 to 255, and over again.
using QuestionNumber = std::uint8_t;

// Where the sender stands, and what it knows of the receiver.
struct RootDatagram {
  QuestionNumber question = 1;  // its own, or the one that it answers
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

// In the order of their types on the wire.
using DatagramBody = std::variant<RootDatagram, HeadsDatagram, WantDatagram, SegmentsDatagram>;

std::uint8_t datagram_type(const DatagramBody& body);
// At most kDatagramBodyBytes (checked).
Bytes encode_datagram(const DatagramBody& body);
Result<DatagramBody> decode_datagram(std::uint8_t type, ByteView plain);

}  // namespace ebb::codec
