#include "state/last_writer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace ebb;
using state::LastWriter;

namespace {

LastWriter write(bool suspect, std::int64_t ms, std::uint8_t log, Seq seq) {
  codec::EventView event;
  if (suspect) event.flags |= codec::kFlagSuspectTime;
  event.hlc = Hlc::at({ms});
  Dot dot;
  dot.log.data.fill(log);
  dot.seq = seq;
  return LastWriter::of(dot, event);
}

}  // namespace

TEST_CASE("a write under a suspect clock loses to any other, however late it claims to be") {
  CHECK(write(true, 2000000000000, 9, 9) < write(false, 1000, 1, 1));
}

TEST_CASE("last writers are ordered by time, then log, then seq") {
  const std::vector<LastWriter> in_order = {
      write(true, 5, 1, 1),  write(true, 6, 1, 1),  write(false, 1, 9, 9), write(false, 2, 1, 9),
      write(false, 2, 2, 1), write(false, 2, 2, 2), write(false, 3, 1, 1),
  };
  CHECK(std::is_sorted(in_order.begin(), in_order.end()));
  for (std::size_t i = 1; i < in_order.size(); ++i)
    CHECK(in_order[i - 1] != in_order[i]);
}
