// Goal: the view of two scopes is the set of heads that both take part in. Method: random scopes
// and histories, against a plain filter of all heads.
#include "mesh/scope_view.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/rng.h"
#include "trust/chain.h"

namespace ebb::mesh {
namespace {

constexpr std::uint64_t kDevices = 6;
constexpr std::uint64_t kTopics = 4;

DeviceId device(std::uint64_t number) {
  DeviceId id;
  id.data[0] = static_cast<std::uint8_t>(number + 1);
  return id;
}

std::string topic(std::uint64_t number) {
  return number == 0 ? "_ebb" : "t" + std::to_string(number);
}

Scope random_scope(Rng& rng) {
  Scope scope;
  scope.kind = static_cast<ScopeKind>(rng.below(3));
  if (scope.kind != ScopeKind::kPartial) return scope;
  const std::uint64_t lists = rng.between(1, 3);
  for (std::uint64_t i = 0; (lists & 1) != 0 && i <= rng.below(kTopics); ++i)
    scope.topics.insert(topic(rng.between(1, kTopics)));
  for (std::uint64_t i = 0; (lists & 2) != 0 && i <= rng.below(kDevices); ++i)
    scope.devices.insert(device(rng.below(kDevices)));
  return scope;
}

StoredHead random_head(Rng& rng, Arrival arrival) {
  StoredHead head;
  head.key = {device(rng.below(kDevices)), rng.between(1, 3), topic(rng.below(kTopics + 1))};
  head.log = trust::log_id(head.key);
  head.held.seq = arrival;
  head.held.chain.data[0] = static_cast<std::uint8_t>(rng.below(256));
  head.arrival = arrival;
  return head;
}

void compare(const HeadTable& heads, const ScopeView& view, const ScopeOwner& a,
             const ScopeOwner& b, Rng& rng) {
  IdPrefix prefix;
  for (std::uint64_t depth = rng.below(3); depth > 0; --depth)
    prefix = prefix.child(rng.below(IdPrefix::kChildren));
  trust::FingerprintSum sum;
  std::vector<LogId> ids;
  for (const auto& [log, entry] : heads.entries()) {
    if (!a.covers(entry.key) || !b.covers(entry.key) || !prefix.covers(log)) continue;
    sum.add(log, entry.held);
    ids.push_back(log);
  }
  REQUIRE(view.sum(prefix) == sum);
  const std::size_t most = rng.below(8);
  REQUIRE(view.list(prefix.first, prefix.last(), 1000) == ids);
  ids.resize(std::min(most, ids.size()));
  REQUIRE(view.list(prefix.first, prefix.last(), most) == ids);
}

TEST_CASE("a view has what is in both scopes, whatever they are and whatever happens") {
  Rng rng(5);
  std::size_t partial = 0;
  for (int run = 0; run < 300; ++run) {
    HeadTable heads;
    Arrival arrival = 0;
    for (std::uint64_t i = rng.below(60); i > 0; --i)
      static_cast<void>(heads.advance(random_head(rng, ++arrival)));
    const ScopeOwner a{random_scope(rng), device(rng.below(kDevices))};
    const ScopeOwner b{random_scope(rng), device(rng.below(kDevices))};
    if (a.scope.is_full() && b.scope.is_full()) continue;
    ++partial;
    ScopeView view(heads, a, b);
    compare(heads, view, a, b, rng);
    for (int step = 0; step < 40; ++step) {
      const StoredHead head = random_head(rng, ++arrival);
      static_cast<void>(heads.advance(head));
      view.moved(head);
      compare(heads, view, a, b, rng);
    }
  }
  CHECK(partial > 200);
}

TEST_CASE("views share the sums of topics, and a table without views keeps none") {
  Rng rng(6);
  HeadTable heads;
  for (Arrival arrival = 1; arrival <= 50; ++arrival)
    static_cast<void>(heads.advance(random_head(rng, arrival)));
  CHECK(heads.topic("_ebb") == nullptr);
  const ScopeView view(heads, {{ScopeKind::kLeaf, {}, {}}, device(0)}, {{}, device(1)});
  REQUIRE(heads.topic("_ebb") != nullptr);
  CHECK(heads.topic("_ebb")->whole().count() > 0);
  CHECK(heads.topic("nothing") == nullptr);
}

}  // namespace
}  // namespace ebb::mesh
