// Reader: a read-only connection to a store, for workers, queries and offline tools.
//
// Model:     sees committed data as of each call; never writes, never checkpoints.
// Ownership: any number of readers beside the one Store, in this process or another.
// Threads:   not thread-safe; one thread at a time per Reader.
// Errors:    kNotFound (no database), kUnsupported (newer or older format), kCorrupt, kIo, kBusy;
//            sql: kInvalidArgument with SQLite's message, kTooLarge (rows, bytes, time, memory).
//            counter: kOutOfRange when the total does not fit.
// Spec:      docs/store_format.md
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "codec/event.h"
#include "core/ids.h"
#include "core/result.h"
#include "core/shared_bytes.h"
#include "core/version_vector.h"
#include "state/objects.h"
#include "store/types.h"

namespace ebb::store {

using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string, Bytes>;

struct SqlResult {
  std::vector<std::string> columns;
  std::vector<std::vector<SqlValue>> rows;
};

struct SqlLimits {
  std::size_t rows = 10000;
  std::size_t bytes = std::size_t{8} << 20;  // of the result as it lies in memory
  // Called every few hundred VM steps; true ends the query with kTooLarge "time".
  std::function<bool()> expired;
};

// An event as people and programs read it.
struct EventRow {
  Dot dot;
  LogKey key;
  codec::EventView event;  // views valid during the callback
  Uuid id;                 // the client's or derived
};

// Which events; empty fields mean all.
struct EventFilter {
  std::optional<std::string> topic;
  std::optional<std::string> type;
  std::optional<DeviceId> device;
  std::optional<LogId> log;
  // Without the records that devices write of themselves, where neither topic nor log is named.
  bool data_only = false;
  // Only events behind these positions (a client's cursor); logs not named start at 1.
  std::map<LogId, Seq> after;
  // Half-open range of the event's effective ts in ms.
  std::optional<std::int64_t> ts_from, ts_to;

  // Whether any event of the log can be meant.
  bool takes(const HeadRecord& head) const;
};

// How a pass over events ended.
struct EventsEnd {
  bool expired = false;  // before its end, because set_expired() said so
  // When it expired, of each log that was looked at: no event up to here is still to come.
  std::map<LogId, Seq> scanned;
};

// The newest events that fit a filter, as far as they fit into some bytes.
struct NewestBounds {
  std::size_t events = 0;
  std::size_t bytes = 0;  // of payloads, types and sources; the event that passes it is the oldest
};

class Reader {
 public:
  static Result<std::unique_ptr<Reader>> open(const std::string& dir);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  Result<std::vector<HeadRecord>> heads() const;
  // As Store::read_segments.
  Result<std::vector<SharedBytes>> read_segments(const LogId& log, Seq from, Seq to,
                                                 std::size_t bytes_max) const;

  // Asked now and then by what may take long, from the thread that reads; true ends it: events()
  // says how far it came, everything else is kTooLarge "time". Empty: nothing has an end.
  void set_expired(std::function<bool()> expired);

  // Visits events in order of log id and seq, the same on every node, at most `limit`; `visit`
  // returns false to stop. Events of a newer format, which cannot be read, are passed by. However
  // little time there is, it comes a segment further.
  Result<EventsEnd> events(const EventFilter& filter, std::uint64_t limit,
                           const std::function<bool(const EventRow&)>& visit) const;

  // Visits the newest events by (hlc, log, seq), log by log in order of seq. True: the bytes ended
  // it before their number did.
  Result<bool> newest_events(const EventFilter& filter, const NewestBounds& bounds,
                             const std::function<void(const EventRow&)>& visit) const;

  // Read-only SQL over the published tables (events, heads, devices, reconciliations) as of one
  // moment: one statement, and only what an authorizer knows (docs/store_format.md section 7).
  Result<SqlResult> sql(std::string_view statement, const SqlLimits& limits) const;

  Result<std::vector<ReconciliationRow>> reconciliations(std::size_t limit) const;  // newest first

  // Records of the mesh's authorities, in order of authority and seq.
  Result<std::vector<Bytes>> authority() const;

  // State as of the last mark; ask the store for a flush first.
  Result<state::Int128> counter(std::string_view topic, std::string_view name) const;
  Result<std::vector<std::string>> set_elements(std::string_view topic,
                                                std::string_view name) const;
  // All cells of one type, or of all types when empty.
  Result<std::vector<state::CountCell>> count_cells(std::string_view type) const;
  Result<Hash> stored_digest() const;
  Result<VersionVector> mark() const;

 private:
  struct Impl;
  explicit Reader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// What `ebb verify` found.
struct VerifyReport {
  std::uint64_t logs = 0, segments = 0, events = 0;
  std::uint64_t records = 0;          // of the events, those in control topics
  std::vector<std::string> problems;  // one sentence each; empty: all is well
  std::optional<Hash> state_digest;   // recomputed from the logs, when asked for
  std::optional<Hash> stored_digest;  // of the stored state at its mark
};

// Recomputes every chain and signature, and with `with_state` the state from the logs up to the
// mark, and compares; all of it as of one moment, also in a store that is written to meanwhile (its
// WAL is not emptied until the walk ends). `progress` gets (events done, events in all).
Result<VerifyReport> verify_store(
    const std::string& dir, bool with_state,
    const std::function<void(std::uint64_t, std::uint64_t)>& progress);

}  // namespace ebb::store
