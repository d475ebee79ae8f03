// What commands leave in memory of an invite: nothing.
#include <curl/curl.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <ostream>
#include <streambuf>
#include <string>
#include <utility>
#include <vector>

#include "cli/qr_code.h"
#include "cli/wiped_memory.h"
#include "tests/cli/command_run.h"
#include "tests/codec/allocation_peak.h"

using namespace ebb::cli;
using ebb::ByteView;
using ebb::tests::AllocationPeak;
using ebb::tests::CommandRun;
using ebb::tests::GivenBack;

namespace {

// As long as an invite, of its letters, and nowhere in memory but where a test puts it.
std::string secret_letters(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i)
    text.push_back(static_cast<char>('a' + (7 * i + i * i / 11) % 26));
  return text;
}

// Takes what is printed into memory that is not given back while the test looks.
class Paper : public std::streambuf {
 public:
  std::string_view text() const { return {page_.data(), used_}; }

 private:
  int overflow(int c) override {
    if (used_ == page_.size()) return traits_type::eof();
    page_[used_++] = static_cast<char>(c);
    return c;
  }
  std::array<char, 65536> page_{};
  std::size_t used_ = 0;
};

}  // namespace

TEST_CASE("an invite that was printed stands nowhere in memory that is given back") {
  const std::string letters = secret_letters(240);
  CommandRun ebb;
  ebb.serve().on("POST /v1/invites",
                 R"({"invite":"ebb1-)" + letters + R"(","id":"0011","uses":1,"expires_ms":1})");
  // A piece of it, so that what ends in the middle of it is found; a QR code has large letters.
  const std::string piece = letters.substr(100, 40);
  std::string large = piece;
  for (char& letter : large)
    letter = static_cast<char>(letter - 'a' + 'A');
  const std::array<std::pair<std::string, std::string>, 4> runs = {
      {{"--no-qr", piece}, {"--qr", piece}, {"--qr", large}, {"--json", piece}}};
  for (const auto& run : runs) {
    const std::string& flag = run.first;
    const std::string& sought = run.second;
    CAPTURE(flag);
    CAPTURE(sought);
    Paper paper, notes;
    std::ostream out(&paper), err(&notes);
    Terminal terminal{.out = out, .err = err, .columns = 100};
    terminal.environment = [](const char*) { return std::optional<std::string>(); };
    const std::vector<std::string> words = {"--dir=" + ebb.temp.path().string(), "invite", flag};
    const GivenBack given_back(ebb::as_bytes(sought));
    CHECK(run_arguments(words, ebb.local, terminal) == 0);
    CHECK(given_back.blocks() == 0);
    CHECK(paper.text().find(letters) != std::string_view::npos);
  }
}

TEST_CASE("libcurl takes its memory where it is wiped") {
  CommandRun ebb;
  ebb.serve().on("GET /v1/status", "{}");
  CHECK(ebb.run({"status", "--json"}) == 0);
  const std::string letters(100000, 'a');
  const AllocationPeak peak;
  char* const copy = curl_easy_escape(nullptr, letters.data(), static_cast<int>(letters.size()));
  REQUIRE(copy != nullptr);
  CHECK(peak.bytes() >= letters.size());
  curl_free(copy);
}

TEST_CASE("an answer of the node that holds a secret is wiped where it is no JSON") {
  const std::string letters = secret_letters(240);
  CommandRun ebb;
  ebb.serve().on("POST /v1/invites", R"({"invite":"ebb1-)" + letters + R"(",)");
  const std::string piece = letters.substr(100, 40);
  const GivenBack given_back(ebb::as_bytes(piece));
  CHECK(ebb.run({"invite"}) == 1);
  CHECK(ebb.err_has("is not JSON"));
  CHECK(given_back.blocks() == 0);
}

TEST_CASE("an answer without an invite is told as such") {
  CommandRun ebb;
  ebb.serve().on("POST /v1/invites", R"({"invite":"ebb1 ABC","id":"0011"})");
  CHECK(ebb.run({"invite"}) == 1);
  CHECK(ebb.err_has("has no invite in it"));
  CHECK(ebb.out.empty());
}

TEST_CASE("a line that is joined by is wiped where it was put together and read") {
  const std::string letters = secret_letters(240);
  CommandRun ebb;
  std::size_t seen = 0;
  ebb.local.join = [&](const auto&, const auto&, const std::string& line,
                       const auto&) -> ebb::Result<JoinAnswer> {
    seen = line.size();
    return ebb::Error{ebb::ErrorCode::kExists, "join", "the invite was used already"};
  };
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  REQUIRE(write(ends[1], letters.data(), letters.size()) == 240);
  close(ends[1]);
  ebb.input_fd = ends[0];
  const std::string piece = letters.substr(100, 40);
  const GivenBack given_back(ebb::as_bytes(piece));
  CHECK(ebb.run({"join", "-"}) == 1);
  close(ends[0]);
  CHECK(seen == 240);
  CHECK(given_back.blocks() == 0);
}

TEST_CASE("a QR code is wiped with its drawing") {
  const auto first = draw_qr("EBB1-ABCDEFG", true);
  REQUIRE(first);
  // A line in the middle of it.
  const std::string piece = first->text.text.substr(first->text.text.size() / 2, 60);
  const GivenBack given_back(ebb::as_bytes(piece));
  auto drawing = draw_qr("EBB1-ABCDEFG", true);
  REQUIRE(drawing);
  CHECK(drawing->text.text.find(piece) != std::string::npos);
  drawing.reset();
  CHECK(given_back.blocks() == 0);
}

TEST_CASE("memory for C libraries is zeroed before it is given back, moved or not") {
  const std::string letters = secret_letters(100);
  const GivenBack given_back(ebb::as_bytes(letters));
  char* text = wiped_strdup(letters.c_str());
  REQUIRE(text != nullptr);
  CHECK(letters == text);
  CHECK(reinterpret_cast<std::uintptr_t>(text) % alignof(std::max_align_t) == 0);
  text = static_cast<char*>(wiped_realloc(text, 4000));
  REQUIRE(text != nullptr);
  CHECK(letters == text);
  text = static_cast<char*>(wiped_realloc(text, letters.size()));
  CHECK(std::memcmp(text, letters.data(), letters.size()) == 0);
  wiped_free(text);
  wiped_free(nullptr);
  CHECK(given_back.blocks() == 0);
  auto* none = static_cast<unsigned char*>(wiped_calloc(30, 10));
  REQUIRE(none != nullptr);
  CHECK(std::all_of(none, none + 300, [](unsigned char byte) { return byte == 0; }));
  wiped_free(none);
  CHECK(wiped_calloc(SIZE_MAX / 2, 3) == nullptr);
  CHECK(wiped_malloc(SIZE_MAX) == nullptr);
  wiped_free(wiped_realloc(nullptr, 0));
}
