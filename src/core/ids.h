// The identities of the mesh: devices, logs, dots, hashes, and how they are written for people.
//
// Model:   all are values with a total order on their bytes.
// Units:   seq is 1-based; 0 means "before the first event".
// Threads: values; any thread.
// Spec:    docs/wire_format.md section 2
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.h"

namespace ebb {

using Hash = FixedBytes<32, struct HashTag>;                          // BLAKE2b-256
using DeviceId = FixedBytes<32, struct DeviceIdTag>;                  // Ed25519 public key
using Signature = FixedBytes<64, struct SignatureTag>;                // Ed25519
using MeshId = FixedBytes<16, struct MeshIdTag>;                      // head of the genesis hash
using LogId = FixedBytes<16, struct LogIdTag>;                        // see trust/chain.h
using Uuid = FixedBytes<16, struct UuidTag>;                          // client or derived event id
using Fingerprint = FixedBytes<16, struct FingerprintTag>;            // of a set of heads
using ReconciliationId = FixedBytes<16, struct ReconciliationIdTag>;  // one exchange, both ends

using Seq = std::uint64_t;          // position of an event in its log
using Incarnation = std::uint64_t;  // random number of a device's store
using Arrival = std::uint64_t;      // a node's own count of head changes
using StoreEpoch = std::uint64_t;   // random; arrival numbers are comparable within one epoch

inline constexpr std::string_view kControlTopic = "_ebb";
inline constexpr std::string_view kDefaultTopic = "events";

// (device, incarnation, topic): what names a log before hashing.
struct LogKey {
  DeviceId device;
  Incarnation incarnation = 0;
  std::string topic;
  auto operator<=>(const LogKey&) const = default;
};

// The identity of an event everywhere.
struct Dot {
  LogId log;
  Seq seq = 0;
  auto operator<=>(const Dot&) const = default;
};

// A position in a log always carries its chain, so two histories never look alike.
struct Position {
  Seq seq = 0;
  Hash chain;
  auto operator<=>(const Position&) const = default;
};

// 1 to 64 bytes of [a-z0-9_.-], not starting with '_' unless it is the control topic.
bool is_valid_topic(std::string_view topic);

// "abcdefgh-ijklmnop-...": base32 in groups of eight.
std::string device_text(const DeviceId& device);
// The first eight characters.
std::string device_short(const DeviceId& device);
std::optional<DeviceId> parse_device(std::string_view text);

// 26 characters of base32 without groups.
std::string log_text(const LogId& log);
std::optional<LogId> parse_log(std::string_view text);

// "<log>:<seq>".
std::string dot_text(const Dot& dot);
std::optional<Dot> parse_dot(std::string_view text);

// 8-4-4-4-12 lower-case hex.
std::string uuid_text(const Uuid& id);
std::optional<Uuid> parse_uuid(std::string_view text);

}  // namespace ebb

// Clients choose these, and may choose them alike but for their last bytes; so they are kept in
// order, never by a hash of their first bytes.
template <>
struct std::hash<ebb::Uuid> {
  hash() = delete;
};
