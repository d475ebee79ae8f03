#include "sim/cursor_checker.h"

#include <map>
#include <string>

namespace ebb::sim {

void CursorChecker::check(const Hosts& hosts, const std::optional<Fork>& fork) {
  check_applied(hosts);
  Heads heads(hosts.size());
  for (HostIndex index = 0; index < hosts.size(); ++index) {
    if (hosts[index]->running()) heads[index] = hosts[index]->storage().store()->heads();
  }
  for (HostIndex index = 0; index < hosts.size(); ++index) {
    if (!hosts[index]->running() || !hosts[index]->honest()) continue;
    check_cursors(index, hosts, heads, fork);
  }
}

void CursorChecker::check_cursors(HostIndex index, const Hosts& hosts, const Heads& heads,
                                  const std::optional<Fork>& fork) {
  std::map<LogId, const store::HeadRecord*> own;
  for (const store::HeadRecord& head : heads[index])
    own.emplace(head.log, &head);
  const auto cursors = hosts[index]->storage().store()->cursors();
  for (HostIndex peer = 0; peer < hosts.size(); ++peer) {
    const std::string peer_name = "host " + std::to_string(peer);
    // A liar's arrival numbers are what it says.
    if (!hosts[peer]->running() || !hosts[peer]->honest()) continue;
    const Storage& store = *hosts[peer]->storage().store();
    if (void_.contains(store.epoch())) continue;
    for (const store::CursorUpdate& cursor : cursors) {
      if (cursor.peer != hosts[peer]->device() || cursor.epoch != store.epoch()) continue;
      if (cursor.arrival > store.arrival_head()) {
        findings_.add("cursor", index, "is beyond what " + peer_name + " has ever numbered");
      }
      for (const store::HeadRecord& head : heads[peer]) {
        if (head.arrival > cursor.arrival) continue;
        const bool shared = covers(hosts[index]->scope(), hosts[index]->device(), head.key) &&
                            covers(hosts[peer]->scope(), hosts[peer]->device(), head.key);
        if (!shared) continue;
        // Of two histories nobody takes the end of the other.
        const bool apart = fork && (fork->host == index || fork->host == peer);
        if (apart && fork->logs.contains(head.log)) continue;
        const auto found = own.find(head.log);
        const Seq held = found == own.end() ? 0 : found->second->held.seq;
        const bool capped = found != own.end() && found->second->capped;
        if (held >= head.held.seq || capped) continue;
        findings_.add("cursor", index,
                      "says all of " + peer_name + " is here up to arrival " +
                          std::to_string(cursor.arrival) + ", and holds " + std::to_string(held) +
                          " of " + dot_text({head.log, head.held.seq}));
      }
    }
  }
}

void CursorChecker::check_applied(const Hosts& hosts) {
  for (HostIndex index = 0; index < hosts.size(); ++index) {
    if (!hosts[index]->running()) continue;
    const Storage& store = *hosts[index]->storage().store();
    for (const store::HeadRecord& head : store.heads()) {
      const Position applied = store.applied().at(head.log);
      if (applied.seq <= head.held.seq) continue;
      findings_.add("cursor", index,
                    "has folded beyond what it holds: " + dot_text({head.log, applied.seq}));
    }
  }
}

}  // namespace ebb::sim
