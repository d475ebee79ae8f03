#include "codec/record.h"

#include <array>

#include "codec/tape.h"
#include "codec/value.h"
#include "core/limits.h"

namespace ebb::codec {
namespace {

constexpr std::array<std::string_view, 4> kReasons = {"new", "restore", "rollback", "clock"};
constexpr std::size_t kTextBytes = 64;  // of the texts of hashes, logs and incarnations

std::string incarnation_text(Incarnation incarnation) {
  Bytes bytes;
  append_be64(bytes, incarnation);
  return to_hex(bytes);
}

Error malformed(std::string_view what) { return {ErrorCode::kMalformed, what, ""}; }

// One way only of writing hex: lower case, of the full length.
std::optional<Bytes> exact_hex(std::string_view text) {
  auto bytes = from_hex(text);
  if (!bytes || to_hex(*bytes) != text) return std::nullopt;
  return bytes;
}

std::optional<LogId> exact_log(std::string_view text) {
  const auto log = parse_log(text);
  return log && log_text(*log) == text ? log : std::nullopt;
}

Result<std::optional<Incarnation>> incarnation_of(ByteView value) {
  constexpr std::uint8_t kNil = 0xc0;
  if (value.size() == 1 && value[0] == kNil) return std::optional<Incarnation>();
  const auto text = as_str(value);
  const auto bytes = text ? exact_hex(*text) : std::nullopt;
  if (!bytes || bytes->size() != sizeof(Incarnation)) return malformed("opening: before");
  return std::optional<Incarnation>(read_be64(*bytes));
}

Status read_closed(TapeReader& reader, std::vector<Opening::Closed>& closes) {
  const TapeReader::Array entry = reader.enter(3);
  Opening::Closed closed;
  closed.topic = reader.str(limits::kTopicBytes);
  closed.end.seq = reader.uint();
  const auto bytes = exact_hex(reader.str(kTextBytes));
  reader.leave(entry);
  EBB_RETURN_IF_ERROR(reader.status());
  const auto chain = bytes ? Hash::from(*bytes) : std::nullopt;
  const bool in_order = closes.empty() || closes.back().topic < closed.topic;
  if (!chain || closed.end.seq == 0 || !is_valid_topic(closed.topic) || !in_order) {
    return malformed("opening: closes");
  }
  closed.end.chain = *chain;
  closes.push_back(std::move(closed));
  return {};
}

Status read_range(TapeReader& reader, std::vector<ClockFix::Range>& ranges) {
  const TapeReader::Array entry = reader.enter(3);
  const auto log = exact_log(reader.str(kTextBytes));
  ClockFix::Range range;
  range.from = reader.uint();
  range.to = reader.uint();
  reader.leave(entry);
  EBB_RETURN_IF_ERROR(reader.status());
  if (!log || range.from == 0 || range.to < range.from) return malformed("clock_fix: ranges");
  range.log = *log;
  if (!ranges.empty() && ranges.back().log >= range.log) return malformed("clock_fix: ranges");
  ranges.push_back(range);
  return {};
}

Status read_address(TapeReader& reader, std::vector<std::string>& addresses) {
  addresses.emplace_back(reader.str(limits::kPresenceAddressBytes));
  return reader.status();
}

// Reads the list at `key`, an entry at a time.
template <class Entry, class Read>
Status read_list(ByteView payload, std::string_view key, std::size_t entries_max,
                 std::vector<Entry>& out, Read read) {
  const auto value = map_get(payload, key);
  if (!value) return malformed("record: a list is missing");
  EBB_ASSIGN(const Tape tape, Tape::parse(*value));
  TapeReader reader(tape, "record: list");
  const TapeReader::Array list = reader.enter_list(entries_max);
  EBB_RETURN_IF_ERROR(reader.status());
  for (std::size_t i = 0; i < list.size; ++i)
    EBB_RETURN_IF_ERROR(read(reader, out));
  return {};
}

}  // namespace

std::string_view opening_reason_name(OpeningReason reason) {
  return kReasons.at(static_cast<std::size_t>(reason));
}

Bytes encode_opening(const Opening& opening) {
  Bytes out;
  Writer writer(out);
  writer.map(3);
  writer.str("before");
  opening.before ? writer.str(incarnation_text(*opening.before)) : writer.nil();
  writer.str("closes");
  writer.array(opening.closes.size());
  for (const Opening::Closed& closed : opening.closes) {
    writer.array(3);
    writer.str(closed.topic);
    writer.uint(closed.end.seq);
    writer.str(to_hex(closed.end.chain.view()));
  }
  writer.str("reason");
  writer.str(opening_reason_name(opening.reason));
  return out;
}

Bytes encode_clock_fix(const ClockFix& fix) {
  Bytes out;
  Writer writer(out);
  writer.map(2);
  writer.str("offset_ms");
  writer.integer(fix.offset_ms);
  writer.str("ranges");
  writer.array(fix.ranges.size());
  for (const ClockFix::Range& range : fix.ranges) {
    writer.array(3);
    writer.str(log_text(range.log));
    writer.uint(range.from);
    writer.uint(range.to);
  }
  return out;
}

Bytes encode_presence(const Presence& presence) {
  Bytes out;
  Writer writer(out);
  writer.map(3);
  writer.str("addresses");
  writer.array(presence.addresses.size());
  for (const std::string& address : presence.addresses)
    writer.str(address);
  writer.str("class");
  writer.uint(presence.budget_class);
  writer.str("number");
  writer.uint(presence.number);
  return out;
}

Result<Opening> decode_opening(ByteView payload) {
  Opening out;
  const auto reason = map_get(payload, "reason");
  const auto name = reason ? as_str(*reason) : std::nullopt;
  if (!name) return malformed("opening: reason");
  std::size_t number = 0;
  while (number < kReasons.size() && kReasons[number] != *name)
    ++number;
  if (number == kReasons.size()) return malformed("opening: reason");
  out.reason = static_cast<OpeningReason>(number);
  const auto before = map_get(payload, "before");
  if (!before) return malformed("opening: before");
  EBB_ASSIGN(out.before, incarnation_of(*before));
  EBB_RETURN_IF_ERROR(read_list(payload, "closes", limits::kRecordLogs, out.closes, read_closed));
  if (!out.before && !out.closes.empty()) return malformed("opening: closes without before");
  return out;
}

Result<ClockFix> decode_clock_fix(ByteView payload) {
  ClockFix out;
  const auto offset = map_get(payload, "offset_ms");
  const auto number = offset ? as_int(*offset) : std::nullopt;
  if (!number) return malformed("clock_fix: offset_ms");
  out.offset_ms = *number;
  EBB_RETURN_IF_ERROR(read_list(payload, "ranges", limits::kRecordLogs, out.ranges, read_range));
  if (out.ranges.empty()) return malformed("clock_fix: ranges");
  return out;
}

Result<Presence> decode_presence(ByteView payload) {
  Presence out;
  const auto number_at = [payload](std::string_view key, std::int64_t least) {
    const auto value = map_get(payload, key);
    const auto number = value ? as_int(*value) : std::nullopt;
    return number && *number >= least ? number : std::nullopt;
  };
  const auto budget_class = number_at("class", 0);
  const auto number = number_at("number", 1);
  if (!budget_class || !number) return malformed("presence: class or number");
  out.budget_class = static_cast<std::uint64_t>(*budget_class);
  out.number = static_cast<std::uint64_t>(*number);
  EBB_RETURN_IF_ERROR(
      read_list(payload, "addresses", limits::kPresenceAddresses, out.addresses, read_address));
  return out;
}

}  // namespace ebb::codec
