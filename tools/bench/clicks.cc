#include "tools/bench/clicks.h"

#include <array>

#include "codec/value.h"

namespace ebb::bench {
namespace {

constexpr std::array<const char*, 8> kTypes = {"view",   "click",    "scroll", "hover",
                                               "submit", "purchase", "error",  "heartbeat"};
constexpr std::array<const char*, 5> kSections = {"shop", "blog", "account", "help", "checkout"};

// Decimal digits with leading zeros.
std::string digits(std::uint64_t value, std::size_t width) {
  std::string text = std::to_string(value);
  return text.size() < width ? std::string(width - text.size(), '0') + text : text;
}

std::string hex32(std::uint32_t value) {
  Bytes bytes;
  append_be32(bytes, value);
  return to_hex(bytes);
}

std::string page_text(const Click& click) {
  return std::string("/") + kSections[click.page % kSections.size()] + "/page-" +
         digits(click.page, 2);
}

std::string button_text(const Click& click) { return "btn-" + digits(click.button, 2); }

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
  const auto cents = static_cast<std::uint64_t>(click.cents);
  std::string json = "{\"type\":\"";
  json += click_type(click);
  json += "\",\"ts\":" + std::to_string(click.ts_ms);
  json += ",\"source\":\"dev-0000002a\",\"payload\":{\"button_id\":\"" + button_text(click);
  json += "\",\"event_no\":" + std::to_string(click.seq);
  json += ",\"page\":\"" + page_text(click) + "\",\"session\":\"" + hex32(click.session);
  json += "\",\"value\":" + std::to_string(cents / 100) + "." + digits(cents % 100, 2);
  json += ",\"visit\":\"" + hex32(click.session) + "00000080\"}}";
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
  writer.str(button_text(click));
  writer.real(static_cast<double>(click.cents) / 100.0);
  writer.str(hex32(click.session));
}

}  // namespace ebb::bench
