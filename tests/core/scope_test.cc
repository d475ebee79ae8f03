#include "core/scope.h"

#include <doctest/doctest.h>

#include "core/limits.h"

namespace ebb {
namespace {

DeviceId device(std::uint8_t number) {
  DeviceId id;
  id.data[0] = number;
  return id;
}

TEST_CASE("every scope has the control topics and the logs of its own device") {
  const DeviceId owner = device(1);
  const Scope scopes[] = {
      {}, {ScopeKind::kLeaf, {}, {}}, {ScopeKind::kPartial, {"a"}, {device(2)}}};
  for (const Scope& scope : scopes) {
    CAPTURE(scope_name(scope.kind));
    CHECK(covers(scope, owner, {device(3), 7, "_ebb"}));
    CHECK(covers(scope, owner, {owner, 7, "b"}));
    CHECK(covers(scope, owner, {owner, 8, "c"}));
  }
}

TEST_CASE("a partial scope has what both of its lists name, and an empty list names all") {
  const DeviceId owner = device(1);
  const auto has = [&](const Scope& scope, std::uint8_t of, const char* topic) {
    return covers(scope, owner, {device(of), 1, topic});
  };
  const Scope topics{ScopeKind::kPartial, {"a", "b"}, {}};
  CHECK(has(topics, 9, "a"));
  CHECK(!has(topics, 9, "c"));
  const Scope devices{ScopeKind::kPartial, {}, {device(2), device(3)}};
  CHECK(has(devices, 2, "c"));
  CHECK(!has(devices, 9, "a"));
  const Scope both{ScopeKind::kPartial, {"a"}, {device(2)}};
  CHECK(has(both, 2, "a"));
  CHECK(!has(both, 2, "b"));
  CHECK(!has(both, 9, "a"));
  CHECK(!has({ScopeKind::kLeaf, {}, {}}, 2, "a"));
  CHECK(has({}, 2, "a"));
}

TEST_CASE("a scope is valid within bounds, with lists where they count and nowhere else") {
  CHECK(is_valid_scope({}));
  CHECK(is_valid_scope({ScopeKind::kLeaf, {}, {}}));
  CHECK(is_valid_scope({ScopeKind::kPartial, {"a"}, {}}));
  CHECK(is_valid_scope({ScopeKind::kPartial, {}, {device(1)}}));
  CHECK(!is_valid_scope({ScopeKind::kPartial, {}, {}}));
  CHECK(!is_valid_scope({ScopeKind::kFull, {"a"}, {}}));
  CHECK(!is_valid_scope({ScopeKind::kLeaf, {}, {device(1)}}));
  CHECK(!is_valid_scope({ScopeKind::kPartial, {"_ebb"}, {}}));
  CHECK(!is_valid_scope({ScopeKind::kPartial, {"A b"}, {}}));
  Scope many{ScopeKind::kPartial, {}, {}};
  for (std::size_t i = 0; i <= limits::kScopeTopics; ++i) {
    CHECK(is_valid_scope(many) == (i > 0));
    many.topics.insert("t" + std::to_string(i));
  }
  CHECK(!is_valid_scope(many));
}

}  // namespace
}  // namespace ebb
