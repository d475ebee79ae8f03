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
  kScope = 13,
  kAuth = 14,
};

// DO NOT CHANGE: sent.
enum class YourLogsKind : std::uint8_t { kSummary = 0, kAsk = 1, kHeads = 2 };

// DO NOT CHANGE: sent. Kinds of SYNC_REQ and SYNC_RESP.
enum class SyncReqKind : std::uint8_t { kList = 0, kRanges = 1, kCuts = 2, kHeads = 3, kAudit = 4 };
enum class SyncRespKind : std::uint8_t { kList = 0, kRanges = 1, kChanges = 2, kHeads = 3 };

// DO NOT CHANGE: sent. Kinds of SCOPE.
enum class ScopeMessageKind : std::uint8_t { kTold = 0, kRoot = 1 };

// DO NOT CHANGE: sent. Kinds of AUTH.
enum class AuthKind : std::uint8_t {
  kRecords = 0,
  kAsk = 1,
  kRefused = 2,
  kMesh = 3,
  kGrant = 4,
  kCompare = 5,
};

inline constexpr std::uint64_t kDeltaLast = 1;     // flag of a DELTA
inline constexpr std::uint64_t kDeltaFlood = 2;    // flag of a DELTA
inline constexpr std::uint64_t kAckDone = 1;       // flag of an ACK
inline constexpr std::uint64_t kPeersShuffle = 1;  // flag of a PEERS
inline constexpr std::uint64_t kChangesMore = 1;   // flags of changes
inline constexpr std::uint64_t kChangesTooMany = 2;

}  // namespace ebb::codec
