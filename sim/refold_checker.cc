#include "sim/refold_checker.h"

#include <string>
#include <utility>
#include <vector>

#include "sim/log_reader.h"
#include "store/fold_driver.h"
#include "trust/chain.h"

namespace ebb::sim {
namespace {

struct Kept {
  Bytes bytes;
  Hash chain;
};
struct Log {
  store::HeadRecord head;
  std::vector<Kept> events;
  std::size_t next = 0;
};

Result<std::vector<Log>> read_all(const Storage& store) {
  std::vector<Log> logs;
  for (const store::HeadRecord& head : store.heads()) {
    Log& log = logs.emplace_back();
    log.head = head;
    EBB_RETURN_IF_ERROR(read_log(store, head, [&log](const LoggedEvent& event) {
      log.events.push_back({to_bytes(event.bytes), event.chain});
    }));
  }
  return logs;
}

// False when the fold did not take what it had to.
bool apply(state::Fold& fold, const Log& log, std::size_t index, state::ApplyResult expected) {
  const Kept& kept = log.events[index];
  const Result<codec::EventView> event = codec::decode_event(kept.bytes);
  return event.ok() &&
         fold.apply(log.head.log, log.head.key.topic, index + 1, kept.chain, *event) == expected;
}

}  // namespace

void RefoldChecker::check(HostIndex host, Storage& store) {
  Result<std::vector<Log>> logs = read_all(store);
  if (!logs) return findings_.add("refold", host, logs.error().message());
  const auto fold = store::new_fold();
  std::vector<Log*> open;
  for (Log& log : *logs) {
    if (!log.events.empty()) open.push_back(&log);
  }
  while (!open.empty()) {
    const std::size_t at = rng_.below(open.size());
    Log& log = *open[at];
    // Runs of some length, as segments come.
    for (std::uint64_t i = rng_.between(1, 20); i > 0 && log.next < log.events.size(); --i) {
      if (!apply(*fold, log, log.next, state::ApplyResult::kApplied)) {
        return findings_.add("refold", host, "an event is not taken in another order");
      }
      ++log.next;
    }
    if (!apply(*fold, log, rng_.below(log.next), state::ApplyResult::kDuplicate)) {
      return findings_.add("refold", host, "a repeated event is not known as one");
    }
    if (log.next == log.events.size()) open.erase(open.begin() + static_cast<std::ptrdiff_t>(at));
  }
  if (fold->digest() != store.state_digest()) {
    findings_.add("refold", host, "another order of the same events gives another digest");
  }
}

}  // namespace ebb::sim
