// FoldDriver: keeps the fold in step with what is committed, and its stored copy in step with the
// fold. It stores nothing by itself: it writes inside the store's transactions.
//
// Model:     apply() after a commit. collect() takes what changed since the last flush together
//            with the mark; write() puts it into a transaction; written() after that committed.
//            What was collected and not yet written() is kept, so a failed transaction costs
//            nothing but time.
// Ownership: owns the fold.
// Threads:   not thread-safe; owned by the store.
// Errors:    open: a log whose stored events cannot be read is folded as far as they can, and named
//            by damage(); damaged state alone is rebuilt from the logs.
// Spec:      docs/store_format.md sections 4 and 5
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "state/fold.h"
#include "store/event_run.h"
#include "store/log_table.h"
#include "store/segment_table.h"
#include "store/sqlite.h"

namespace ebb::store {

// A fold with today's arguments and the hash of trust/hash.h.
std::unique_ptr<state::Fold> new_fold();
// Puts all stored entries and the mark into a new fold. kCorrupt when they do not belong
// together; the fold is then of no use.
Status load_state(const Connection& connection, state::Fold& fold);

class FoldDriver {
 public:
  // Loads the stored state and folds what lies past its mark.
  Status open(const Connection& connection, const LogTable& logs, const SegmentTable& segments,
              Instant now);

  // `topic` is that of the run's log. Events that are applied already are skipped; a log that an
  // event of a newer format has stopped stays where it is.
  void apply(const EventRun& run, std::string_view topic);

  // What open() could not read, one error a log (kCorrupt), limits::kVerifyProblems of them at
  // most. Nothing behind it is folded.
  const std::vector<Error>& damage() const { return damage_; }

  const state::Fold& fold() const { return *fold_; }
  state::Fold& fold() { return *fold_; }

  bool dirty() const;
  // Whether a flush is to happen now (core/limits.h).
  bool due(Instant now) const;
  void collect();
  Status write();
  void written(Instant now);

 private:
  Status load(const Connection& connection);
  Status fold_past_mark(const LogRow& log, const SegmentTable& segments);

  std::unique_ptr<state::Fold> fold_;
  std::vector<Error> damage_;
  std::set<LogId> touched_;            // logs whose mark moved since collect()
  std::vector<state::Entry> entries_;  // collected
  std::map<LogId, Position> marks_;    // collected
  bool rebuild_ = false;               // what is stored is to be thrown away first
  Instant flushed_;
  Statement put_;
  Statement erase_;
  Statement mark_;
  Statement clear_state_;
  Statement clear_mark_;
};

}  // namespace ebb::store
