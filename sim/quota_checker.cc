#include "sim/quota_checker.h"

#include <map>
#include <string>

#include "sim/host.h"

namespace ebb::sim {
namespace {

struct Held {
  std::map<LogId, Position> others;  // of all hosts but the one
  std::uint64_t flood = 0;           // events of the one, its records left out
};

Held held_by(const Host& host, const DeviceId& flooder) {
  Held held;
  for (const store::HeadRecord& head : host.storage().store()->heads()) {
    if (head.key.device != flooder) {
      held.others[head.log] = head.held;
    } else if (head.key.topic != kControlTopic) {
      held.flood += head.held.seq;
    }
  }
  return held;
}

}  // namespace

bool QuotaChecker::agree(const Hosts& hosts, HostIndex flooder) {
  for (const auto& host : hosts) {
    if (!host->running() || !host->storage().idle()) return false;
  }
  const DeviceId device = hosts[flooder]->device();
  const Held all = held_by(*hosts[flooder], device);
  for (const auto& host : hosts) {
    if (held_by(*host, device).others != all.others) return false;
  }
  return true;
}

void QuotaChecker::check(const Hosts& hosts, HostIndex flooder, std::uint64_t events_max) {
  const DeviceId device = hosts[flooder]->device();
  const Held all = held_by(*hosts[flooder], device);
  if (all.flood <= events_max) findings_.add("quota", flooder, "wrote no more than its quota");
  for (HostIndex index = 0; index < hosts.size(); ++index) {
    const Held held = held_by(*hosts[index], device);
    if (held.others != all.others) {
      findings_.add("quota", index, "holds others' logs otherwise than the host that floods");
    }
    if (index == flooder) continue;
    // What it lacks of the quota is less than one segment.
    if (held.flood > events_max || held.flood < events_max / 2) {
      findings_.add("quota", index,
                    "holds " + std::to_string(held.flood) +
                        " events of the flood, whose quota is " + std::to_string(events_max));
    }
  }
}

}  // namespace ebb::sim
