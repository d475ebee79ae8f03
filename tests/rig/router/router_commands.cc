#include "tests/rig/router/router_commands.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace ebb::tests {
namespace {

using Words = std::vector<std::string_view>;
using EachPair = std::function<void(HostIndex from, HostIndex to)>;

Words words_of(std::string_view line) {
  Words words;
  while (true) {
    const std::size_t start = line.find_first_not_of(' ');
    if (start == std::string_view::npos) return words;
    const std::size_t end = std::min(line.find(' ', start), line.size());
    words.push_back(line.substr(start, end - start));
    line.remove_prefix(end);
  }
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const std::from_chars_result parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

// First and last host that a word stands for.
std::optional<std::pair<HostIndex, HostIndex>> range_of(std::string_view word, HostIndex hosts) {
  if (word == "*") return std::pair(HostIndex{0}, hosts - 1);
  const std::optional<std::uint64_t> value = number(word);
  if (!value || *value >= hosts) return std::nullopt;
  const auto host = static_cast<HostIndex>(*value);
  return std::pair(host, host);
}

bool for_each_pair(const PacketSwitch& net, const Words& words, const EachPair& each) {
  const auto from = range_of(words[1], net.hosts());
  const auto to = range_of(words[2], net.hosts());
  if (!from || !to) return false;
  for (HostIndex a = from->first; a <= from->second; ++a) {
    for (HostIndex b = to->first; b <= to->second; ++b)
      each(a, b);
  }
  return true;
}

std::optional<sim::PathOptions> path_of(const Words& words) {
  std::vector<std::uint64_t> values;
  for (std::size_t i = 3; i < words.size(); ++i) {
    const std::optional<std::uint64_t> value = number(words[i]);
    if (!value || *value > UINT32_MAX) return std::nullopt;
    values.push_back(*value);
  }
  return sim::PathOptions{.latency = microseconds(static_cast<std::int64_t>(values[0])),
                          .jitter = microseconds(static_cast<std::int64_t>(values[1])),
                          .rate = values[2],
                          .loss_permille = values[3],
                          .queue_bytes = values[4]};
}

std::optional<PacketSwitch::Passing> passing_of(std::string_view name) {
  if (name == "open") return PacketSwitch::Passing::kAll;
  if (name == "datagrams") return PacketSwitch::Passing::kDatagrams;
  if (name == "block") return PacketSwitch::Passing::kNothing;
  return std::nullopt;
}

std::string counts_text(const PacketSwitch::Counts& counts) {
  std::string text = "{";
  const auto field = [&text](const char* name, std::uint64_t value) {
    if (text.size() > 1) text += ',';
    text.append("\"").append(name).append("\":").append(std::to_string(value));
  };
  field("taken", counts.taken);
  field("delivered", counts.delivered);
  field("delivered_bytes", counts.delivered_bytes);
  field("lost", counts.lost);
  field("no_room", counts.no_room);
  field("blocked", counts.blocked);
  field("not_for_us", counts.not_for_us);
  return text + "}";
}

}  // namespace

std::string run_command(PacketSwitch& net, std::string_view line) {
  const Words words = words_of(line);
  const std::string_view name = words.empty() ? std::string_view() : words[0];
  if (name == "counts" && words.size() == 1) return counts_text(net.counts());
  if (words == Words{"broadcasts", "pass"}) {
    net.pass_broadcasts(true);
    return "ok";
  }
  if (words == Words{"wire", "pass"}) {
    net.pass_wire(true);
    return "ok";
  }
  bool done = false;
  if (name == "path" && words.size() == 8) {
    const std::optional<sim::PathOptions> options = path_of(words);
    done = options && for_each_pair(net, words, [&](HostIndex from, HostIndex to) {
             net.set_path(from, to, *options);
           });
  } else if (const auto passing = passing_of(name); passing && words.size() == 3) {
    done = for_each_pair(
        net, words, [&](HostIndex from, HostIndex to) { net.set_passing(from, to, *passing); });
  }
  return done ? "ok" : "error: " + std::string(line);
}

}  // namespace ebb::tests
