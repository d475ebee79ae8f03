#include "http/verdict.h"

#include <doctest/doctest.h>

#include "core/limits.h"

namespace {

using ebb::milliseconds;
using ebb::http::verdict_of;
using ebb::node::NodeStatus;

TEST_CASE("a write that waits for the disk makes the verdict bad once it has waited for long") {
  NodeStatus status;
  status.write_waits = milliseconds(ebb::limits::kDiskAnswerMs - 1);
  CHECK(verdict_of(status).level == "ok");
  CHECK(ebb::http::disk_trouble(status).empty());
  status.write_waits = milliseconds(ebb::limits::kDiskAnswerMs);
  CHECK(verdict_of(status).level == "bad");
  CHECK(verdict_of(status).text ==
        "the disk does not answer: a write has been waiting for 5 seconds");
  // What hangs now says more than what failed before.
  status.store_error = ebb::Error{ebb::ErrorCode::kIo, "disk", ""};
  CHECK(verdict_of(status).text.starts_with("the disk does not answer"));
  status.write_waits = {};
  CHECK(verdict_of(status).text.starts_with("nothing can be stored"));
}

}  // namespace
