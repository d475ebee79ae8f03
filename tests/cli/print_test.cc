#include "cli/print.h"

#include <doctest/doctest.h>

#include <limits>

#include <sstream>

#include "cli/progress.h"

using namespace ebb::cli;

TEST_CASE("control characters of peers do not reach the terminal") {
  CHECK(escape_text("plain é 🙂") == "plain é 🙂");
  CHECK(escape_text("\x1b[2Jx\r\n\t") == "\\u001b[2Jx\\r\\n\\t");
  CHECK(escape_text(std::string_view("\0\x7f", 2)) == "\\u0000\\u007f");
  CHECK(escape_text("\xc2\x9b"
                    "31m") == "\\u009b31m");  // C1: CSI in one character
  CHECK(escape_text("a\xe2\x80\xae"
                    "b") == "a\\u202eb");  // right-to-left override
  CHECK(escape_text("\xe2\x80\xa8") == "\\u2028");
  CHECK(escape_text("\xef\xbb\xbf") == "\\ufeff");
}

TEST_CASE("bytes that are not UTF-8 are shown as bytes") {
  CHECK(escape_text("\xff"
                    "a") == "\\xffa");
  CHECK(escape_text("\xc0\xaf") == "\\xc0\\xaf");                  // overlong
  CHECK(escape_text("\xed\xa0\x80") == "\\xed\\xa0\\x80");         // surrogate
  CHECK(escape_text("\xe2\x82") == "\\xe2\\x82");                  // cut short
  CHECK(escape_text("\xf4\x90\x80\x80").substr(0, 4) == "\\xf4");  // behind the last character
}

TEST_CASE("text is cut by characters, not inside one") {
  CHECK(fit_text("abcdef", 6) == "abcdef");
  CHECK(fit_text("abcdefg", 6) == "abcd..");
  CHECK(fit_text("ééééééé", 6) == "éééé..");
  CHECK(fit_text("abc", 1) == ".");
}

TEST_CASE("sizes and times are written in the unit that fits") {
  CHECK(bytes_text(0) == "0 B");
  CHECK(bytes_text(1023) == "1023 B");
  CHECK(bytes_text(1536) == "1.5 KiB");
  CHECK(bytes_text(std::uint64_t{3} << 30) == "3.0 GiB");
  CHECK(age_text(-5) == "0 ms");
  CHECK(age_text(999) == "999 ms");
  CHECK(age_text(119999) == "119 s");
  CHECK(age_text(7200000) == "2 h");
  CHECK(age_text(std::int64_t{200} * 3600 * 1000) == "8 d");
  CHECK(duration_text(12) == "12 us");
  CHECK(duration_text(12300) == "12.3 ms");
  CHECK(duration_text(2500000) == "2.5 s");
  CHECK(count_text(1, "link") == "1 link");
  CHECK(count_text(0, "link") == "0 links");
}

TEST_CASE("times before 1970 and far away are written right") {
  CHECK(time_text(0) == "1970-01-01 00:00:00.000Z");
  CHECK(time_text(-1) == "1969-12-31 23:59:59.999Z");
  CHECK(time_text(1431857100123) == "2015-05-17 10:05:00.123Z");
  const auto farthest = std::numeric_limits<std::int64_t>::min();
  CHECK_FALSE(time_text(farthest).empty());
}

TEST_CASE("a table aligns its columns and escapes its cells") {
  Table table({{"name"}, {"n", Table::Align::kRight}});
  table.add({"a\x1b[1m", "5"});
  table.add({"é", "10"});
  CHECK(table.text(false) ==
        "name         n\n"
        "a\\u001b[1m   5\n"
        "é           10\n");
  CHECK(table.text(true).substr(0, 4) == "\x1b[1m");
  CHECK(table.text(false, 4) == "na..\na\\..\né ..\n");
}

TEST_CASE("progress is drawn on a terminal only and removed at the end") {
  const auto unit = [](std::uint64_t n) { return std::to_string(n); };
  std::ostringstream shown, silent;
  {
    Progress progress(shown, true, "reading", unit);
    progress.update(1, 4);
    progress.update(2, 4);  // too soon after the first
  }
  Progress(silent, false, "reading", unit).update(1, 4);
  CHECK(shown.str() == "\r\x1b[Kreading [#######.......................]  25 %  1 of 4\r\x1b[K");
  CHECK(silent.str().empty());
}
