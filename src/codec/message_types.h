// Numbers that stand for messages on the wire. Inside the codec only.
//
// Threads: values; any thread.
// Spec:    docs/wire_format.md section 7
#pragma once

#include <cstdint>

namespace ebb::codec {

// DO NOT CHANGE: sent.
enum class MessageType : std::uint8_t {
  kHello = 1,
  kYourLogs = 2,
  kSyncReq = 3,
  kSyncResp = 4,
  kWant = 5,
  kDelta = 6,
  kAck = 7,
  kHave = 8,
  kPrune = 9,
  kPing = 10,
  kPeers = 11,
  kBye = 12,
};

// DO NOT CHANGE: sent.
enum class YourLogsKind : std::uint8_t { kSummary = 0, kAsk = 1, kHeads = 2 };

// DO NOT CHANGE: sent. Other kinds of SYNC_REQ and SYNC_RESP are not known to this version.
inline constexpr std::uint64_t kSyncKindList = 0;

inline constexpr std::uint64_t kDeltaLast = 1;     // flag of a DELTA
inline constexpr std::uint64_t kDeltaFlood = 2;    // flag of a DELTA
inline constexpr std::uint64_t kAckDone = 1;       // flag of an ACK
inline constexpr std::uint64_t kPeersShuffle = 1;  // flag of a PEERS

}  // namespace ebb::codec
