#include "http/ndjson.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/rng.h"

namespace {

using ebb::http::NdjsonCutter;

struct Line {
  std::uint64_t number;
  std::string text;
  bool operator==(const Line&) const = default;
};

std::vector<Line> drain(NdjsonCutter& cutter) {
  std::vector<Line> lines;
  std::string_view line;
  while (cutter.next(line) == NdjsonCutter::Next::kLine)
    lines.push_back({cutter.line_number(), std::string(line)});
  return lines;
}

TEST_CASE("lines are the same wherever the chunks end") {
  const std::string text = "one\ntwo\r\n\n  \r\nfive\n\nseven \"\\n\" x\r\nlast";
  const std::vector<Line> wanted = {
      {1, "one"}, {2, "two"}, {5, "five"}, {7, "seven \"\\n\" x"}, {8, "last"}};
  for (std::size_t size = 1; size <= text.size(); ++size) {
    CAPTURE(size);
    NdjsonCutter cutter(100);
    std::vector<Line> lines;
    for (std::size_t at = 0; at < text.size(); at += size) {
      cutter.push(std::string_view(text).substr(at, size));
      for (auto& line : drain(cutter))
        lines.push_back(std::move(line));
    }
    cutter.finish();
    for (auto& line : drain(cutter))
      lines.push_back(std::move(line));
    CHECK(lines == wanted);
  }
}

TEST_CASE("what is left in the cutter survives the next chunk") {
  NdjsonCutter cutter(100);
  cutter.push("a\nb\nc");
  std::string_view line;
  REQUIRE(cutter.next(line) == NdjsonCutter::Next::kLine);
  CHECK(line == "a");
  cutter.push("d\ne\n");
  CHECK(drain(cutter) == std::vector<Line>{{2, "b"}, {3, "cd"}, {4, "e"}});
  CHECK(cutter.next(line) == NdjsonCutter::Next::kNeedMore);
}

TEST_CASE("a last line without its end counts only when no more comes") {
  NdjsonCutter cutter(100);
  std::string_view line;
  cutter.push("half");
  CHECK(cutter.next(line) == NdjsonCutter::Next::kNeedMore);
  cutter.finish();
  REQUIRE(cutter.next(line) == NdjsonCutter::Next::kLine);
  CHECK(line == "half");
  CHECK(cutter.next(line) == NdjsonCutter::Next::kNeedMore);
}

TEST_CASE("a line over the bound is found before its end is seen") {
  NdjsonCutter cutter(8);
  std::string_view line;
  cutter.push("12345678\n1234");
  REQUIRE(cutter.next(line) == NdjsonCutter::Next::kLine);
  CHECK(line == "12345678");
  CHECK(cutter.next(line) == NdjsonCutter::Next::kNeedMore);
  cutter.push("56789");
  CHECK(cutter.next(line) == NdjsonCutter::Next::kTooLong);
  CHECK(cutter.line_number() == 2);
}

TEST_CASE("a line over the bound whose end is seen is too long as well") {
  NdjsonCutter cutter(8);
  std::string_view line;
  cutter.push("123456789\n");
  CHECK(cutter.next(line) == NdjsonCutter::Next::kTooLong);
  CHECK(cutter.line_number() == 1);
}

}  // namespace
