// The "clicks" workload: synthetic analytics events of about 215 bytes of JSON.
//
// Model:   seeded; a session lasts about 200 events, pages, buttons and types are skewed towards
//          the first ones, prices are long-tailed. The same seed gives the same events.
// Threads: not thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "core/bytes.h"
#include "core/rng.h"

namespace ebb::bench {

struct Click {
  std::uint64_t id_high = 0, id_low = 0;
  std::int64_t ts_ms = 0;
  std::uint64_t seq = 0;
  std::uint32_t session = 0;
  unsigned type = 0, page = 0, button = 0;
  std::int64_t cents = 0;
};

class Clicks {
 public:
  explicit Clicks(std::uint64_t seed) : rng_(seed) {}
  Click next();

 private:
  unsigned skewed(unsigned count);
  Rng rng_;
  std::int64_t ts_ms_ = 1732250000000;
  std::uint64_t seq_ = 0;
  std::uint32_t session_ = 1;
};

const char* click_type(const Click& click);
// As the device's program would send it: one object of the local API, without a newline.
std::string click_json(const Click& click);
// Positional msgpack array [id, device, ts, type, seq, [page, button, price, session]], ~80 bytes:
// what a plain row or a bare segment would keep.
void append_click_row(Bytes& out, const Click& click);

}  // namespace ebb::bench
