#include "sim/narrow.h"

#include <array>
#include <map>

namespace ebb::sim {
namespace {

const Host* full_host(const Hosts& hosts, const std::optional<Fork>& fork) {
  for (HostIndex index = 0; index < hosts.size(); ++index) {
    const Host& host = *hosts[index];
    const bool is_apart = fork && fork->host == index;
    if (host.is_member() && host.running() && !is_apart && host.takes_part().is_full()) {
      return &host;
    }
  }
  return nullptr;
}

}  // namespace

std::string narrow_prefix(const Options& options) {
  constexpr std::array kPrefixes = {"events", "sens", "till-"};
  return kPrefixes[options.seed % kPrefixes.size()];
}

bool narrow_is_told(const Options& options, const Hosts& hosts, const std::optional<Fork>& fork) {
  if (!options.narrow || options.issuers == 0) return true;
  const Host& narrow = *hosts[*options.narrow];
  const Host* const full = full_host(hosts, fork);
  if (!narrow.running() || !narrow.storage().idle() || full == nullptr) return false;
  std::map<LogId, Position> there;
  for (const store::HeadRecord& head : full->storage().store()->heads()) {
    if (head.key.device == narrow.device()) there[head.log] = head.held;
  }
  const std::string prefix = narrow_prefix(options);
  for (const store::HeadRecord& head : narrow.storage().store()->heads()) {
    if (head.key.device != narrow.device()) continue;
    if (head.key.topic != kControlTopic && !head.key.topic.starts_with(prefix)) continue;
    const auto told = there.find(head.log);
    if (told == there.end() || told->second != head.held) return false;
  }
  return true;
}

}  // namespace ebb::sim
