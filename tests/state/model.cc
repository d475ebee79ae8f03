#include "tests/state/model.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "state/objects.h"
#include "trust/hash.h"

namespace ebb::tests {
namespace {

using Meaning = Happened::Meaning;
using state::Int128;
using state::Uint128;

Bytes number(Uint128 value, int bytes) {
  Bytes out;
  for (int i = bytes - 1; i >= 0; --i) {
    out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  return out;
}

void put_text(Bytes& out, const std::string& text) {
  append(out, number(text.size(), 2));
  append(out, as_bytes(text));
}

Bytes key_of(std::uint8_t kind, const std::vector<std::string>& texts) {
  Bytes key{kind};
  for (const std::string& text : texts)
    put_text(key, text);
  return key;
}

Bytes with_dot(Bytes key, const Dot& dot) {
  append(key, dot.log.view());
  append(key, number(dot.seq, 8));
  return key;
}

bool is_set_change(const Happened& event) {
  return event.meaning == Meaning::kSetAdd || event.meaning == Meaning::kSetRemove;
}

// (topic, name, element, killed dot).
using Kill = std::tuple<std::string, std::string, std::string, Dot>;

void put_sets(const std::vector<Happened>& events, Model& model) {
  std::set<Kill> kills;
  for (const Happened& event : events) {
    if (!is_set_change(event)) continue;
    for (const Dot& dot : event.kills) {
      if (dot != event.dot) kills.insert({event.topic, event.name, event.element, dot});
    }
  }
  for (const Happened& event : events) {
    if (!is_set_change(event)) continue;
    if (kills.contains({event.topic, event.name, event.element, event.dot})) continue;
    const Bytes key = key_of(0x20, {event.topic, event.name, event.element});
    model.objects[with_dot(key, event.dot)] = {
        static_cast<std::uint8_t>(event.meaning == Meaning::kSetAdd ? 1 : 0)};
  }
  for (const auto& [topic, name, element, dot] : kills) {
    if (model.applied.covers(dot)) continue;
    model.objects[with_dot(key_of(0x21, {topic, name, element}), dot)] = {};
  }
}

void put_counters(const std::vector<Happened>& events, Model& model) {
  std::map<Bytes, Int128> totals;
  for (const Happened& event : events) {
    if (event.meaning != Meaning::kCounterAdd) continue;
    Bytes key = key_of(0x10, {event.topic, event.name});
    append(key, event.dot.log.view());
    totals[key] += event.amount;
  }
  for (const auto& [key, total] : totals) {
    model.objects[key] = number(static_cast<Uint128>(total), 16);
  }
}

void put_counts(const std::vector<Happened>& events, Model& model) {
  std::map<Bytes, std::pair<std::uint64_t, std::uint64_t>> cells;
  for (const Happened& event : events) {
    // Wide enough that no time of the tests can overflow.
    const Int128 hlc_ms = event.hlc.value >> 16;
    const Int128 ts = event.ts_ms ? *event.ts_ms : hlc_ms;
    Int128 window = ts / 60000 - (ts % 60000 < 0 ? 1 : 0);
    window = std::max<Int128>(window * 60000, INT64_MIN);
    Bytes key = key_of(0x40, {event.type});
    append(key, number(static_cast<Uint128>(window - INT64_MIN), 8));
    append(key, event.dot.log.view());
    ++cells[key].first;
    if (hlc_ms - ts > 600000) ++cells[key].second;
  }
  for (const auto& [key, cell] : cells) {
    Bytes value = number(cell.first, 8);
    append(value, number(cell.second, 8));
    model.counts[key] = value;
  }
}

// (nibbles of the key's hash, leaf hash) of each entry, in order.
using Leaves = std::vector<std::pair<std::string, Hash>>;

Hash root_below(const Leaves& leaves, std::size_t depth) {
  if (leaves.empty()) return Hash{};
  if (leaves.size() == 1) return leaves[0].second;
  Bytes input{0x01};
  for (const char digit : std::string("0123456789abcdef")) {
    Leaves child;
    for (const auto& leaf : leaves) {
      if (leaf.first[depth] == digit) child.push_back(leaf);
    }
    append(input, root_below(child, depth + 1).view());
  }
  return hash_for_tests(input);
}

}  // namespace

codec::EventView Happened::view() const {
  codec::EventView event;
  event.hlc = hlc;
  event.ts_ms = ts_ms;
  event.type = type;
  event.payload = payload;
  return event;
}

LogId log_of(std::uint8_t number) {
  LogId log;
  log.data.fill(number);
  return log;
}

Hash chain_of(const Dot& dot) { return hash_for_tests(with_dot(Bytes{}, dot)); }

Hash hash_for_tests(ByteView bytes) {
  static const bool ready = trust::crypto_ready().ok();
  REQUIRE(ready);
  return trust::hash(bytes);
}

std::unique_ptr<state::Fold> new_fold(const state::Arguments& arguments) {
  return std::make_unique<state::Fold>(hash_for_tests, arguments);
}

state::ApplyResult apply_to(state::Fold& fold, const Happened& event) {
  return fold.apply(event.dot.log, event.topic, event.dot.seq, chain_of(event.dot), event.view());
}

Happened plain(const Dot& dot, std::string type) {
  Happened event;
  event.dot = dot;
  event.type = std::move(type);
  return event;
}

Happened counter_add(const Dot& dot, std::string name, std::int64_t amount) {
  Happened event = plain(dot, std::string(state::kCounterAddType));
  auto payload = state::counter_add_payload(name, amount);
  REQUIRE(payload.ok());
  event.payload = *payload;
  event.meaning = Meaning::kCounterAdd;
  event.name = std::move(name);
  event.amount = amount;
  return event;
}

Happened set_change(const Dot& dot, bool add, std::string name, std::string element,
                    std::vector<Dot> kills) {
  Happened event = plain(dot, std::string(add ? state::kSetAddType : state::kSetRemoveType));
  auto payload = state::set_payload(name, element, kills);
  REQUIRE(payload.ok());
  event.payload = *payload;
  event.meaning = add ? Meaning::kSetAdd : Meaning::kSetRemove;
  event.name = std::move(name);
  event.element = std::move(element);
  event.kills = std::move(kills);
  return event;
}

Model model_of(const std::vector<Happened>& events) {
  Model model;
  for (const Happened& event : events) {
    if (event.dot.seq > model.applied.at(event.dot.log).seq) {
      model.applied.set(event.dot.log, {event.dot.seq, chain_of(event.dot)});
    }
  }
  put_sets(events, model);
  put_counters(events, model);
  put_counts(events, model);
  return model;
}

Hash model_root(const Entries& entries) {
  Leaves leaves;
  for (const auto& [key, value] : entries) {
    Bytes input{0x00};
    append(input, number(key.size(), 4));
    append(input, key);
    append(input, value);
    leaves.push_back({to_hex(hash_for_tests(key).view()), hash_for_tests(input)});
  }
  return root_below(leaves, 0);
}

Hash model_digest(const Model& model, const state::Arguments& arguments) {
  Entries heads;
  for (const auto& [log, position] : model.applied.positions()) {
    Bytes value = number(position.seq, 8);
    append(value, position.chain.view());
    heads[to_bytes(log.view())] = value;
  }
  Bytes input = to_bytes(as_bytes("ebb-digest-1"));
  append(input, number(1, 8));
  append(input, arguments.base.view());
  append(input, model_root(heads).view());
  append(input, arguments.authority.view());
  append(input, number(arguments.configuration.seq, 8));
  append(input, arguments.configuration.chain.view());
  append(input, model_root(model.objects).view());
  return hash_for_tests(input);
}

Hash model_view_digest(const Model& model) {
  Bytes input = to_bytes(as_bytes("ebb-view-1events_by_type"));
  append(input, model_root(model.counts).view());
  return hash_for_tests(input);
}

void keep(Entries& stored, const std::vector<state::Entry>& taken) {
  for (const state::Entry& entry : taken) {
    if (entry.value) {
      stored[entry.key] = *entry.value;
    } else {
      stored.erase(entry.key);
    }
  }
}

}  // namespace ebb::tests
