#include "sim/presence_checker.h"

#include <map>
#include <tuple>

#include "codec/record.h"
#include "sim/log_reader.h"

namespace ebb::sim {

void PresenceChecker::check(HostIndex host, const Storage& store) {
  std::map<DeviceId, store::PresenceRow> newest;
  for (const store::HeadRecord& head : store.heads()) {
    if (head.key.topic != kControlTopic) continue;
    const Status read = read_log(store, head, [&newest](const LoggedEvent& logged) {
      if (logged.event.type != codec::kPresenceType) return;
      const auto said = codec::decode_presence(logged.event.payload);
      if (!said) return;
      const store::PresenceRow row{logged.key.device, logged.event.hlc, *said};
      const auto [known, is_first] = newest.emplace(row.device, row);
      const bool newer = std::tie(row.said.number, row.hlc) >
                         std::tie(known->second.said.number, known->second.hlc);
      if (!is_first && newer) known->second = row;
    });
    if (!read) return findings_.add("presence", host, read.error().message());
  }
  const auto kept = store.presences();
  if (!kept) return findings_.add("presence", host, kept.error().message());
  if (kept->size() != newest.size()) {
    return findings_.add("presence", host,
                         "its logs tell where " + std::to_string(newest.size()) +
                             " devices are, and it knows it of " + std::to_string(kept->size()));
  }
  for (const store::PresenceRow& row : *kept) {
    const auto found = newest.find(row.device);
    if (found != newest.end() && found->second == row) continue;
    findings_.add(
        "presence", host,
        "knows another presence than the newest in its logs of " + device_short(row.device));
  }
}

}  // namespace ebb::sim
