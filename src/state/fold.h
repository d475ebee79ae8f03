// Fold: the state that a set of logs means. State = fold(base, applied version vector, authority
// set, configuration); the same four give the same bytes on every node, in any order of arrival.
//
// Model:     everything is in memory; changes since the last take_dirty() are handed out as
//            key-value entries to be stored together with the mark (the applied version vector). A
//            fold that loads stored entries and a mark continues as if it had never stopped.
//            Objects: counter (per-log running totals), set (live dots, kills, pend). The built-in
//            view: events counted by type in one-minute windows of their effective ts.
// Units:     amounts are int64, totals 128-bit; windows in ms since 1970.
// Ownership: owns all it keeps; nothing handed in is referred to after a call returns.
// Threads:   not thread-safe; owned by the store.
// Errors:    load: kCorrupt, the fold is then to be thrown away and built from the logs. The same
//            when what take_dirty() gave could not be stored: it is not given again.
// Determinism: no clock, locale, pointer order or unordered iteration reaches a result.
// Spec:      docs/store_format.md sections 5 and 6
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "codec/event.h"
#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "core/version_vector.h"
#include "state/merkle.h"

namespace ebb::state {

// Rises when a fold changes meaning; nodes of different fold versions do not compare digests.
inline constexpr std::uint64_t kFoldVersion = 1;
// The built-in view.
inline constexpr std::string_view kCountViewName = "events_by_type";

// The arguments beside the logs. Empty for now, and already part of every digest.
struct Arguments {
  Hash base{};               // digest of the base's state; zero: no base
  Hash authority{};          // Merkle root over authority heads; zero: none
  Position configuration{};  // position of the configuration in `_ebb`; seq 0: none
};

// One stored entry; no value means the key is gone.
struct Entry {
  Bytes key;
  std::optional<Bytes> value;
};

enum class ApplyResult {
  kApplied,
  kDuplicate,  // at or below the applied position: no effect
  kGap,        // not the next event of its log: no effect
};

class Fold {
 public:
  Fold(HashFn hash, Arguments arguments);
  ~Fold();
  Fold(const Fold&) = delete;
  Fold& operator=(const Fold&) = delete;

  // Takes stored entries (in any order), then the mark; only on a new fold.
  Status load_entry(ByteView key, ByteView value);
  Status load_mark(const LogId& log, const Position& position);
  // After the last load_mark: whether entries and mark can belong together. kCorrupt otherwise.
  // Whatever is applied later keeps it so.
  Status check_loaded() const;

  // `chain` is chain(seq). `topic` is that of the log.
  ApplyResult apply(const LogId& log, std::string_view topic, Seq seq, const Hash& chain,
                    const codec::EventView& event);

  const VersionVector& applied() const;
  // Of the whole state; keeps its trees incrementally.
  Hash digest();
  // Of the built-in count view alone.
  Hash view_digest();

  // Entries changed since the last call, in order of key, without repeats.
  std::vector<Entry> take_dirty();
  bool dirty() const;
  // How many events were applied since the last take_dirty().
  std::uint64_t applied_since_flush() const;

  // What an operation of our own must kill: the live dots of a set's element, both polarities, in
  // order. One operation takes at most limits::kKillsPerOperation of them.
  std::vector<Dot> set_live_dots(std::string_view topic, std::string_view name,
                                 std::string_view element) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ebb::state
