// Presences: the newest presence record of each device, as found in all control topics.
//
// Model:   a cache of what the logs say, in the table `presences`: note() writes inside the
//          transaction that stores the events, committed() takes over after it. A store whose
//          table was never filled, or is damaged, reads all control topics once.
//          Rationale: a device may have written any number of them, and a start must not read
//          them all.
// Threads: not thread-safe; owned by the store.
// Errors:  open: a log that cannot be read counts as far as it can, and a table that cannot even be
//          emptied is not used; damage() names both. Else those of store/sqlite.h. A record of
//          another shape is passed by.
// Limits:  limits::kPresences devices, inside a transaction too; a new one then takes the place of
//          a random other, never that of this device, in O(log n).
// Spec:    docs/wire_format.md section 10
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "codec/event.h"
#include "core/limits.h"
#include "core/result.h"
#include "store/event_run.h"
#include "store/event_scan.h"
#include "store/log_table.h"
#include "store/sqlite.h"
#include "store/types.h"

namespace ebb::store {

// Whether `row` takes the place of `known`.
bool is_newer_presence(const PresenceRow& row, const PresenceRow& known);

class Presences {
 public:
  explicit Presences(const DeviceId& own, std::size_t devices_max = limits::kPresences)
      : own_(own), devices_max_(devices_max) {}

  // `random` chooses who makes room; it must outlive this.
  Status open(Connection& connection, const LogTable& logs,
              const std::function<std::uint64_t()>& random);

  // A transaction begins: what an earlier one noted and did not commit is forgotten.
  void begin();
  // Looks through events of one of the device's control topics.
  Status note(const DeviceId& device, const EventRun& run);
  // It has committed: what is new.
  std::vector<PresenceRow> committed();

  // All, in order of device. kCorrupt for rows that were damaged since open().
  Result<std::vector<PresenceRow>> all() const;

  // What open() could not read (kCorrupt), limits::kVerifyProblems of it at most.
  const std::vector<Error>& damage() const { return damage_; }

 private:
  // What decides which is newer; the rest stays in the table.
  struct Known {
    std::uint64_t number = 0;
    Hlc hlc;
  };
  Status load(const LogTable& logs);
  // Makes the table anew from the logs.
  Status fill(const LogTable& logs);
  Status fill_from(EventScan& scan, const LogRow& row);
  Status take(const DeviceId& device, const codec::EventView& event);
  // Before the first change of the transaction in hand, for begin() to undo it.
  void remember(const DeviceId& device);
  Status make_room();
  void note_damage(const Error& error);

  Connection* connection_ = nullptr;
  const std::function<std::uint64_t()>* random_ = nullptr;
  DeviceId own_;
  std::size_t devices_max_;
  bool usable_ = true;
  std::vector<Error> damage_;
  std::map<DeviceId, Known> known_;  // as the table stands, with the transaction in hand
  // Of the transaction in hand.
  std::map<DeviceId, PresenceRow> noted_;
  std::map<DeviceId, std::optional<Known>> before_;
  Statement put_;
  Statement drop_;
};

}  // namespace ebb::store
