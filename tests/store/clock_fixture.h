// What the tests of clocks share: the stamps and records of a device, and what peers say.
//
// Threads: not thread-safe; one test.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "codec/record.h"
#include "tests/store/sql_fixture.h"

namespace ebb::tests {

inline constexpr std::int64_t kDay = std::int64_t{24} * 3600 * 1000;
inline constexpr std::int64_t kTenYears = 3650 * kDay;

struct Stored {
  LogKey key;
  Dot dot;
  Hlc hlc;
  bool suspect = false;
  std::string type;
  Bytes payload;
};

// What the device's own logs hold, in order of storing.
inline std::vector<Stored> own_events(const Device& device, std::string_view topic) {
  std::vector<Stored> out;
  store::EventFilter filter;
  filter.topic = std::string(topic);
  filter.device = device.identity().device();
  REQUIRE(device.reader()
              ->events(filter, UINT64_MAX,
                       [&out](const store::EventRow& row) {
                         out.push_back({row.key, row.dot, row.event.hlc, row.event.suspect_time(),
                                        std::string(row.event.type), to_bytes(row.event.payload)});
                         return true;
                       })
              .ok());
  std::sort(out.begin(), out.end(), [](const Stored& a, const Stored& b) { return a.hlc < b.hlc; });
  return out;
}

inline Stored last_event(const Device& device) { return own_events(device, "events").back(); }

inline void peers_say(Device& device, std::int64_t wall_ms) {
  device.store().hear_peers(PeerClock{{wall_ms - device.uptime.us / 1000}, 3});
}

inline std::vector<codec::Opening> openings(const Device& device) {
  std::vector<codec::Opening> out;
  for (const Stored& event : own_events(device, kControlTopic)) {
    if (event.type != codec::kOpeningType) continue;
    const auto opening = codec::decode_opening(event.payload);
    REQUIRE(opening.ok());
    out.push_back(*opening);
  }
  return out;
}

inline std::vector<codec::ClockFix> fixes(const Device& device) {
  std::vector<codec::ClockFix> out;
  for (const Stored& event : own_events(device, kControlTopic)) {
    if (event.type != codec::kClockFixType) continue;
    const auto fix = codec::decode_clock_fix(event.payload);
    REQUIRE(fix.ok());
    out.push_back(*fix);
  }
  return out;
}

// Both get everything that the other has.
inline void exchange_all(Device& a, Device& b) {
  for (const store::HeadRecord& head : a.store().heads())
    b.receive(read_all(a.store(), head));
  for (const store::HeadRecord& head : b.store().heads())
    a.receive(read_all(b.store(), head));
}

}  // namespace ebb::tests
