// Goal: the table's sums are those of its entries, whatever happened to it. Method: random steps on
// the table and on a model that recomputes everything from plain maps.
#include "mesh/head_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "core/limits.h"
#include "core/rng.h"
#include "trust/chain.h"

namespace ebb::tests {
namespace {

constexpr std::uint64_t kLogs = 12;
constexpr std::uint64_t kSlots = 4;

LogKey key_of(std::uint64_t number) {
  LogKey key;
  key.device.data[0] = static_cast<std::uint8_t>(number % 3);
  key.incarnation = number;
  key.topic = "t";
  return key;
}

mesh::StoredHead head_of(std::uint64_t number, Seq seq, Arrival arrival) {
  mesh::StoredHead head;
  head.key = key_of(number);
  head.log = trust::log_id(head.key);
  head.held.seq = seq;
  head.held.chain.data[0] = static_cast<std::uint8_t>(seq);
  head.arrival = arrival;
  return head;
}

struct Model {
  std::map<LogId, mesh::StoredHead> heads;
  std::map<LogId, std::map<int, Seq>> claims;
  std::map<LogId, Seq> known;

  Seq held(const LogId& log) const {
    const auto it = heads.find(log);
    return it == heads.end() ? 0 : it->second.held.seq;
  }
  void lower(const LogId& log) {
    Seq known_now = held(log);
    for (const auto& [slot, seq] : claims[log])
      known_now = std::max(known_now, seq);
    known[log] = known_now;
  }
};

void compare(const mesh::HeadTable& table, const Model& model) {
  trust::FingerprintSum root;
  std::map<DeviceId, trust::FingerprintSum> devices;
  std::map<Arrival, LogId> arrivals;
  std::uint64_t held = 0;
  std::uint64_t known = 0;
  for (const auto& [log, head] : model.heads) {
    root.add(log, head.held);
    devices[head.key.device].add(log, head.held);
    arrivals[head.arrival] = log;
    held += head.held.seq;
  }
  for (const auto& [log, seq] : model.known)
    known += seq;
  REQUIRE(table.root() == root);
  REQUIRE(table.events_held() == held);
  REQUIRE(table.events_known() == known);
  std::map<Arrival, LogId> in_table;
  for (const auto& place : table.by_arrival())
    in_table[place.first] = place.second;
  REQUIRE(in_table == arrivals);
  // From anywhere in the order what comes next is the same.
  const Arrival last = arrivals.empty() ? 1 : arrivals.rbegin()->first;
  for (Arrival from = 0; from <= last; from += 1 + last / 16) {
    const auto expected = arrivals.upper_bound(from);
    const auto next = table.by_arrival().upper_bound(from);
    REQUIRE((next == table.by_arrival().end()) == (expected == arrivals.end()));
    if (expected == arrivals.end()) continue;
    REQUIRE(next->first == expected->first);
    REQUIRE(next->second == expected->second);
  }
  for (const auto& [device, sum] : devices)
    REQUIRE(table.device_sum(device) == sum);
  for (const LogId& log : table.behind())
    REQUIRE(model.known.at(log) > model.held(log));
  for (const auto& [log, seq] : model.known)
    REQUIRE(table.behind().contains(log) == (seq > model.held(log)));
}

// What is said of links, of one log: nobody looks at all of them at every step.
void compare_links(const mesh::HeadTable& table, const Model& model, const LogId& log) {
  const mesh::LogEntry* entry = table.find(log);
  for (int slot = 0; slot < static_cast<int>(kSlots); ++slot) {
    const auto claims = model.claims.find(log);
    const bool claimed = claims != model.claims.end() && claims->second.contains(slot);
    const mesh::PeerLog* peer = entry == nullptr ? nullptr : entry->find_peer(slot);
    REQUIRE((peer == nullptr ? 0 : peer->announced) == (claimed ? claims->second.at(slot) : 0));
  }
}

TEST_CASE("sums, arrivals and claims agree with a naive model after random steps") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    mesh::HeadTable table;
    Model model;
    Arrival arrival = 0;
    for (int step = 0; step < 400; ++step) {
      const std::uint64_t number = rng.below(kLogs);
      const LogId log = trust::log_id(key_of(number));
      const int slot = static_cast<int>(rng.below(kSlots));
      const std::uint64_t action = rng.below(11);
      if (action < 4) {
        const mesh::StoredHead head =
            head_of(number, model.held(log) + rng.between(1, 5), ++arrival);
        table.advance(head);
        model.heads[log] = head;
        model.known[log] = std::max(model.known[log], head.held.seq);
      } else if (action < 7) {
        const Seq seq = rng.between(1, 60);
        table.announce(*table.find_or_add(log), slot, seq);
        model.claims[log][slot] = std::max(model.claims[log][slot], seq);
        model.known[log] = std::max(model.known[log], seq);
      } else if (action == 10) {
        const Arrival upto = rng.below(arrival + 1);
        table.announce_all(slot, upto);
        for (const auto& [held, head] : model.heads) {
          if (head.arrival > upto) continue;
          Seq& claim = model.claims[held][slot];
          claim = std::max(claim, head.held.seq);
        }
      } else if (action < 9) {
        table.retract(*table.find_or_add(log), slot);
        model.claims[log][slot] = std::min(model.claims[log][slot], model.held(log));
        model.lower(log);
      } else {
        const bool liar = rng.chance(1, 2);
        table.forget_slot(slot, liar);
        for (auto& [claimed, slots] : model.claims) {
          slots.erase(slot);
          if (liar) model.lower(claimed);
        }
        if (liar) {
          for (const auto& [stored, head] : model.heads)
            model.lower(stored);
        }
      }
      compare(table, model);
      if (rng.chance(1, 3)) compare_links(table, model, log);
    }
  }
}

TEST_CASE("claims are clamped, and the table refuses logs beyond its bound") {
  mesh::HeadTable table;
  LogId log;
  log.data[0] = 1;
  table.announce(*table.find_or_add(log), 3, UINT64_MAX);
  CHECK(table.events_known() == limits::kSeqMax);
  for (std::uint32_t i = 0; table.entries().size() < limits::kKnownLogs; ++i) {
    LogId next;
    next.data[1] = static_cast<std::uint8_t>(i);
    next.data[2] = static_cast<std::uint8_t>(i >> 8);
    next.data[3] = static_cast<std::uint8_t>(i >> 16);
    mesh::LogEntry* entry = table.find_or_add(next);
    REQUIRE(entry != nullptr);
    table.announce(*entry, 3, 1);
  }
  LogId beyond;
  beyond.data[0] = 9;
  CHECK(table.find_or_add(beyond) == nullptr);
  // What is stored is never refused, and inventions leave with their link.
  CHECK(table.advance(head_of(5, 7, 1))->held.seq == 7);
  table.forget_slot(3, false);
  CHECK(table.entries().size() == 1);
  CHECK(table.events_known() == 7);
}

TEST_CASE("of a log that is capped nothing is missing, whatever was or will be said of it") {
  mesh::HeadTable table;
  mesh::StoredHead head = head_of(1, 4, 1);
  mesh::LogEntry& entry = *table.advance(head);
  table.announce(entry, 2, 9);
  CHECK(table.events_known() == 9);
  head.arrival = 2;
  head.capped = true;
  table.advance(head);
  CHECK(table.events_known() == 4);
  table.announce(entry, 3, 12);
  CHECK(table.events_known() == 4);
  table.retract(entry, 3);
  CHECK(table.events_known() == 4);
}

}  // namespace
}  // namespace ebb::tests
