// What status and metrics show of an engine: plain values.
//
// Threads: values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/time.h"
#include "mesh/types.h"

namespace ebb::mesh {

struct LinkStatus {
  LinkId link;
  std::optional<DeviceId> peer;
  std::string remote;
  bool dialled = false;
  std::string_view state;  // "connecting", "greeting", "reconciling", "in_sync", "incomplete"
  std::optional<Duration> rtt;
  std::uint64_t eager_logs = 0, lazy_logs = 0;
  std::uint64_t missing_here = 0;   // events announced by the peer and not held here
  std::uint64_t missing_there = 0;  // events held here and not acknowledged there
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::string link_class;           // empty: none
  std::uint64_t waiting_bytes = 0;  // in the queue of the link
  std::uint64_t rate = 0;           // bytes a second that it takes, as far as is known
  bool held_back = false;           // by budget or quiet hours
  std::string_view scope;           // of the peer: "full", "partial", "leaf"; empty: not known yet
  bool relay = false;               // the peer is one
  bool may_relay = true;            // what others wrote may come from it, as far as its scope goes
  std::string_view access;          // what it may do here; empty: open mesh, or not judged yet
  std::string_view access_there;    // and we there: "full", "restricted", "records", "none"
  Instant since;
};

// A log of which more is known to exist than is held.
struct MissingLog {
  LogId log;
  std::optional<LogKey> key;  // absent: no peer has named it yet
  Seq held = 0, known = 0;
};
struct MissingLogs {
  std::uint64_t count = 0;       // of them all
  std::vector<MissingLog> logs;  // the first of them, in order of id
};

// Long logs that are fetched from several links at once, and what waits of them for what comes
// before it.
struct Sharing {
  std::size_t logs = 0, staged_bytes = 0;
};

// Upper bounds of the sizes by which DELTAs are counted; one more count is for what is beyond.
inline constexpr std::array<std::size_t, 8> kDeltaSizes = {256,   1024,   4096,    16384,
                                                           65536, 262144, 1048576, 4194304};

struct BudgetStatus {
  LinkClass settings;
  std::uint64_t spent_today = 0;
  std::uint64_t waiting_bytes = 0;
  std::uint64_t links = 0;
};

struct MessageCount {
  std::uint64_t messages_in = 0, messages_out = 0, bytes_in = 0, bytes_out = 0;
};

struct Counters {
  std::map<std::string_view, MessageCount> messages;                // by message_name
  std::map<std::string_view, std::uint64_t> faults;                 // by reason
  std::array<std::uint64_t, kDeltaSizes.size() + 1> delta_sizes{};  // of DELTAs received
  std::uint64_t events_received = 0;                                // new here
  std::uint64_t events_redundant = 0;                               // received again
  std::uint64_t events_sent = 0;
  std::uint64_t pushes_sent = 0, pushes_received = 0;
  std::uint64_t datagrams_in = 0, datagrams_opened = 0, datagrams_out = 0;
  std::uint64_t datagram_bytes_in = 0, datagram_bytes_out = 0;  // without IP and UDP
  std::map<std::string_view, std::uint64_t> datagrams_dropped;  // by reason
  std::map<std::string_view, std::uint64_t> datagram_segments;  // received, by outcome
  std::map<std::string_view, std::uint64_t> gossip;             // exchanges, by outcome
  std::uint64_t dials = 0, dial_failures = 0;
  std::map<std::string_view, std::uint64_t> handshakes_refused;  // by reason; ours and of others
  std::uint64_t presences_heard = 0, presences_written = 0;      // newer ones of others; of ours
  std::uint64_t presence_dials = 0;  // to addresses that nothing else told
  std::uint64_t reconciliations_in_sync = 0, reconciliations_left_out = 0,
                reconciliations_interrupted = 0, reconciliations_refused = 0;
  std::uint64_t audits = 0;         // ended, equal or not
  std::uint64_t audit_repairs = 0;  // heads that only an audit has brought: 0 in a healthy mesh
  std::uint64_t forks_suspected = 0, rollbacks_found = 0, set_backs_found = 0;
  std::uint64_t logs_refused = 0;           // for which the store has no row
  std::uint64_t quota_refused = 0;          // segments of authors that have used up their quota
  std::uint64_t segments_out_of_scope = 0;  // that peers should not have sent
  std::uint64_t authors_refused = 0;        // segments whose author may not write them
  std::uint64_t peers_not_admitted = 0;     // links
  std::uint64_t authority_records = 0;      // of others, that were news
  std::uint64_t authority_refused = 0;      // of others, that were not taken
  std::uint64_t certificates_issued = 0;
  std::uint64_t authority_compares = 0;  // because digests differed
};

// Of the own device, as the records that are held have it. `on` false: an open mesh.
struct MembershipStatus {
  bool on = false;
  trust::Standing standing = trust::Standing::kUnknown;
  std::optional<trust::Certificate> certificate;
  bool renewal_due = false;
  WallTime judged_at;             // the time by which it is judged
  bool clock_overruled = false;   // by that of peers
  std::size_t issuers = 0;        // that may certify
  bool is_issuer = false;         // this node certifies who asks
  bool waits_for_member = false;  // but not before one was heard: its store was set back
  bool suspended = false;
  trust::Admit admit = trust::Admit::kInvite;
  std::string last_refusal;  // of the last peer that was asked for a certificate
};

struct KnownPeer {
  std::optional<DeviceId> device;
  std::string address;
  std::string_view state;  // "linked", "refused", "heard", "away", "never", "self"
  std::string trouble;     // why it refuses or is refused, or why the last dial failed
  std::optional<Instant> last_heard;
  bool configured = false;
  // What the device says of itself in its presence, whether or not it is true.
  std::vector<std::string> announced;
  bool metered = false;
};

}  // namespace ebb::mesh
