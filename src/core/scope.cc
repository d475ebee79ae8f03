#include "core/scope.h"

#include <algorithm>

#include "core/limits.h"

namespace ebb {

bool covers(const Scope& scope, const DeviceId& owner, const LogKey& log) {
  if (scope.is_full() || log.topic == kControlTopic || log.device == owner) return true;
  if (scope.kind == ScopeKind::kLeaf) return false;
  return (scope.topics.empty() || scope.topics.contains(log.topic)) &&
         (scope.devices.empty() || scope.devices.contains(log.device));
}

bool is_valid_scope(const Scope& scope) {
  const bool lists = !scope.topics.empty() || !scope.devices.empty();
  if (lists != (scope.kind == ScopeKind::kPartial)) return false;
  if (scope.topics.size() > limits::kScopeTopics || scope.devices.size() > limits::kScopeDevices) {
    return false;
  }
  return std::all_of(scope.topics.begin(), scope.topics.end(), [](const std::string& topic) {
    return is_valid_topic(topic) && topic != kControlTopic;
  });
}

const char* scope_name(ScopeKind kind) {
  switch (kind) {
    case ScopeKind::kFull:
      return "full";
    case ScopeKind::kPartial:
      return "partial";
    case ScopeKind::kLeaf:
      return "leaf";
  }
  return "full";
}

}  // namespace ebb
