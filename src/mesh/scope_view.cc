#include "mesh/scope_view.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace ebb::mesh {
namespace {

bool has_every_device(const Scope& scope) {
  return scope.is_full() || (scope.kind == ScopeKind::kPartial && scope.devices.empty());
}

std::set<std::string> common(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::set<std::string> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(both, both.end()));
  return both;
}

// The topics of which both have the logs of every device.
std::set<std::string> shared_topics(const Scope& a, const Scope& b) {
  std::set<std::string> topics;
  if (has_every_device(a) && has_every_device(b)) {
    if (a.is_full()) {
      topics = b.topics;
    } else {
      topics = b.is_full() ? a.topics : common(a.topics, b.topics);
    }
  }
  topics.insert(std::string(kControlTopic));
  return topics;
}

// A log of no such topic that both have is of one of these.
std::set<DeviceId> named_devices(const ScopeOwner& a, const ScopeOwner& b) {
  std::set<DeviceId> devices{a.device, b.device};
  const Scope& narrow = has_every_device(a.scope) ? b.scope : a.scope;
  devices.insert(narrow.devices.begin(), narrow.devices.end());
  return devices;
}

}  // namespace

ScopeView::ScopeView(HeadTable& heads, ScopeOwner mine, ScopeOwner theirs)
    : heads_(&heads), mine_(std::move(mine)), theirs_(std::move(theirs)) {
  EBB_CHECK(!mine_.is_full() || !theirs_.is_full());
  heads.keep_topics();
  if (!mine_.own_only && !theirs_.own_only) topics_ = shared_topics(mine_.scope, theirs_.scope);
  for (const DeviceId& device : named_devices(mine_, theirs_)) {
    for (const LogEntry* entry : heads.of_device(device)) {
      const bool in = !topics_.contains(entry->key.topic) && covers(entry->key);
      if (in) rest_.set(entry->id, entry->held);
    }
  }
}

trust::FingerprintSum ScopeView::sum(const IdPrefix& prefix) const {
  trust::FingerprintSum total = rest_.sum(prefix);
  for (const std::string& topic : topics_) {
    if (const trust::FingerprintTree* tree = heads_->topic(topic)) total.add(tree->sum(prefix));
  }
  return total;
}

std::vector<LogId> ScopeView::list(const LogId& first, const LogId& last, std::size_t most) const {
  std::vector<LogId> ids;
  rest_.list(first, last, most, ids);
  for (const std::string& topic : topics_) {
    if (const trust::FingerprintTree* tree = heads_->topic(topic)) {
      tree->list(first, last, most, ids);
    }
  }
  std::sort(ids.begin(), ids.end());
  if (ids.size() > most) ids.resize(most);
  return ids;
}

void ScopeView::moved(const StoredHead& head) {
  if (!topics_.contains(head.key.topic) && covers(head.key)) rest_.set(head.log, head.held);
}

}  // namespace ebb::mesh
