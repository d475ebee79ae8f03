// What a fold must mean, said once more and naively: everything is computed anew from the full list
// of events, with maps and a rule a line. Slow on purpose; shares no code with src/state.
//
// Model:   an event is killed when any other applied event names its dot for the same element of
//          the same object; order plays no part.
// Threads: values and pure functions; any thread.
// Spec:    docs/store_format.md sections 5 and 6
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/event.h"
#include "core/ids.h"
#include "core/version_vector.h"
#include "state/fold.h"

namespace ebb::tests {

// An event with what its author meant, so that the model need not read payloads.
struct Happened {
  enum class Meaning { kPlain, kCounterAdd, kSetAdd, kSetRemove };

  Dot dot;
  std::string topic = "events";
  std::string type = "page.view";
  std::optional<std::int64_t> ts_ms;
  Hlc hlc = Hlc::at({1700000000000});
  Bytes payload{0xc0};

  Meaning meaning = Meaning::kPlain;
  std::string name;
  std::string element;
  std::int64_t amount = 0;
  std::vector<Dot> kills;

  codec::EventView view() const;
};

LogId log_of(std::uint8_t number);
// Any hash serves as chain, as long as it is the same for the same position.
Hash chain_of(const Dot& dot);
Hash hash_for_tests(ByteView bytes);
std::unique_ptr<state::Fold> new_fold(const state::Arguments& arguments = {});
state::ApplyResult apply_to(state::Fold& fold, const Happened& event);

// Builders. Their payloads are those of state/objects.h; a name that is not allowed fails the test.
Happened plain(const Dot& dot, std::string type = "page.view");
Happened counter_add(const Dot& dot, std::string name, std::int64_t amount);
Happened set_change(const Dot& dot, bool add, std::string name, std::string element,
                    std::vector<Dot> kills = {});

// Stored entries, and the digests over them.
using Entries = std::map<Bytes, Bytes>;
struct Model {
  VersionVector applied;
  Entries objects;
  Entries counts;
};
// Of events that are whole prefixes of their logs, in any order.
Model model_of(const std::vector<Happened>& events);
Hash model_root(const Entries& entries);
Hash model_digest(const Model& model, const state::Arguments& arguments = {});
Hash model_view_digest(const Model& model);

// What a store keeps: all that take_dirty() gave, one over another.
void keep(Entries& stored, const std::vector<state::Entry>& taken);

}  // namespace ebb::tests
