#include "tools/bench/clicks.h"

#include <array>
#include <cstdio>

#include "codec/value.h"

namespace ebb::bench {
namespace {

constexpr std::array<const char*, 8> kTypes = {"view",   "click",    "scroll", "hover",
                                               "submit", "purchase", "error",  "heartbeat"};
constexpr std::array<const char*, 5> kSections = {"shop", "blog", "account", "help", "checkout"};

template <class... Args>
std::string text(const char* format, Args... args) {
  std::array<char, 64> buffer{};
  const int size = std::snprintf(buffer.data(), buffer.size(), format, args...);
  return std::string(buffer.data(), static_cast<std::size_t>(size));
}

std::string page_text(const Click& click) {
  return text("/%s/page-%02u", kSections[click.page % kSections.size()], click.page);
}

}  // namespace

// The smaller of two draws, twice: the first values come up about four times as often as the last.
unsigned Clicks::skewed(unsigned count) {
  const auto a = rng_.below(count);
  const auto b = rng_.below(count);
  return static_cast<unsigned>(a < b ? a : b);
}

Click Clicks::next() {
  Click click;
  click.id_high = rng_.next();
  click.id_low = rng_.next();
  ts_ms_ += static_cast<std::int64_t>(1 + rng_.below(300));
  click.ts_ms = ts_ms_;
  click.seq = ++seq_;
  if (rng_.chance(1, 200)) session_ = static_cast<std::uint32_t>(rng_.next());
  click.session = session_;
  click.type = skewed(static_cast<unsigned>(kTypes.size()));
  click.page = skewed(50);
  click.button = skewed(20);
  click.cents = static_cast<std::int64_t>(1 + rng_.below(std::uint64_t{1} << rng_.between(6, 16)));
  return click;
}

const char* click_type(const Click& click) { return kTypes[click.type]; }

std::string click_json(const Click& click) {
  std::string json = "{\"type\":\"";
  json += click_type(click);
  json += text("\",\"ts\":%lld,", static_cast<long long>(click.ts_ms));
  json += "\"source\":\"dev-0000002a\",\"payload\":{\"button_id\":\"";
  json += text("btn-%02u\",\"event_no\":%llu,", click.button,
               static_cast<unsigned long long>(click.seq));
  json += "\"page\":\"" + page_text(click) + "\",";
  json += text("\"session\":\"%08x\",\"value\":%lld.%02lld,", click.session,
               static_cast<long long>(click.cents / 100), static_cast<long long>(click.cents % 100));
  json += text("\"visit\":\"%016llx\"}}", static_cast<unsigned long long>(click.session) << 7);
  return json;
}

void append_click_row(Bytes& out, const Click& click) {
  codec::Writer writer(out);
  Bytes id;
  append_be64(id, click.id_high);
  append_be64(id, click.id_low);
  writer.array(6);
  writer.bin(id);
  writer.uint(42);
  writer.integer(click.ts_ms);
  writer.str(click_type(click));
  writer.uint(click.seq);
  writer.array(4);
  writer.str(page_text(click));
  writer.str(text("btn-%02u", click.button));
  writer.real(static_cast<double>(click.cents) / 100.0);
  writer.str(text("%08x", click.session));
}

}  // namespace ebb::bench
