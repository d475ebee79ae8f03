#include "http/json_events.h"

#include <simdjson.h>

#include <array>
#include <utility>

#include "codec/utf8.h"
#include "codec/value.h"
#include "core/ids.h"
#include "core/limits.h"
#include "http/json_payload.h"
#include "http/time_text.h"

namespace ebb::http {
namespace {

namespace ondemand = simdjson::ondemand;

static_assert(kJsonPadding >= simdjson::SIMDJSON_PADDING);

enum Field : std::uint8_t { kType, kPayload, kTs, kSource, kDevice, kSchema, kId, kTopic, kNone };

constexpr std::array<std::string_view, kNone> kFieldNames = {"type",   "payload", "ts", "source",
                                                             "device", "schema",  "id", "topic"};

// Types of the mesh's own records; clients use the endpoints that make them.
constexpr std::string_view kReservedTypes = "ebb.";

// By length first: this runs for every field of every event.
Field field_of(std::string_view key) {
  for (std::size_t i = 0; i < kFieldNames.size(); ++i) {
    if (key == kFieldNames[i]) return static_cast<Field>(i);
  }
  return kNone;
}

Error wrong_type(std::string_view wanted) { return {ErrorCode::kMalformed, wanted}; }

Result<std::string_view> text_of(ondemand::value& value, std::size_t bytes_max) {
  std::string_view text;
  if (const auto error = value.get_string().get(text)) {
    if (error == simdjson::INCORRECT_TYPE) return wrong_type("has to be a text");
    return json_error(error);
  }
  if (text.size() > bytes_max) {
    return Error{ErrorCode::kTooLarge, "text",
                 std::to_string(text.size()) + " bytes, at most " + std::to_string(bytes_max)};
  }
  if (text.empty()) return Error{ErrorCode::kInvalidArgument, "is empty"};
  // An escaped half of a surrogate pair is JSON, and no text.
  if (!codec::is_utf8(text)) return Error{ErrorCode::kMalformed, "not UTF-8"};
  return text;
}

Result<ondemand::number> number_of(ondemand::value& value, std::string_view wanted) {
  ondemand::json_type type{};
  if (const auto error = value.type().get(type)) return json_error(error);
  if (type != ondemand::json_type::number) return wrong_type(wanted);
  ondemand::number number;
  if (value.get_number().get(number)) return number_error(value.raw_json_token());
  if (number.get_number_type() == ondemand::number_type::floating_point_number) {
    return wrong_type(wanted);
  }
  return number;
}

Result<std::int64_t> ts_of(ondemand::value& value) {
  constexpr std::string_view kWanted = "has to be RFC 3339 text or an integer of milliseconds";
  ondemand::json_type type{};
  if (const auto error = value.type().get(type)) return json_error(error);
  if (type == ondemand::json_type::string) {
    std::string_view text;
    if (const auto error = value.get_string().get(text)) return json_error(error);
    const auto ms = parse_rfc3339(text);
    if (!ms) {
      return Error{ErrorCode::kInvalidArgument,
                   "has to be an RFC 3339 time with Z or an offset, as in 2015-05-17T10:05:00Z"};
    }
    return *ms;
  }
  EBB_ASSIGN(const ondemand::number number, number_of(value, kWanted));
  if (number.is_uint64()) return Error{ErrorCode::kOutOfRange, "is beyond 2^63-1 milliseconds"};
  return number.get_int64();
}

Result<std::uint64_t> schema_of(ondemand::value& value) {
  constexpr std::string_view kWanted = "has to be an integer, 0 or more";
  EBB_ASSIGN(const ondemand::number number, number_of(value, kWanted));
  if (number.is_uint64()) return number.get_uint64();
  if (number.get_int64() < 0) return Error{ErrorCode::kOutOfRange, kWanted};
  return static_cast<std::uint64_t>(number.get_int64());
}

// Some editors begin a file with one; JSON has none.
Status refuse_byte_order_mark(std::string_view json) {
  if (!json.starts_with("\xef\xbb\xbf")) return {};
  return Error{ErrorCode::kMalformed, "not JSON", "a byte order mark (EF BB BF) stands before it"};
}

}  // namespace

Status check_client_topic(std::string_view topic) {
  if (topic == kControlTopic) {
    return Error{ErrorCode::kInvalidArgument, "has to be another: _ebb is the mesh's own"};
  }
  if (!is_valid_topic(topic)) {
    return Error{ErrorCode::kInvalidArgument,
                 "has to be 1 to 64 of a-z, 0-9, '_', '.', '-', not beginning with '_'"};
  }
  return {};
}

struct EventParser::State {
  ondemand::parser parser;
  codec::ValueBuilder builder{limits::kPayloadBytes, limits::kDepth};
  std::string field;
  std::string path;

  Status object(ondemand::object object, ParsedEvent& out);
  Status take(Field name, ondemand::value value, ParsedEvent& out);
  Status take_text(Field name, ondemand::value& value, ParsedEvent& out);
  Status payload(ondemand::value value, Bytes& out);
  Status complete(unsigned seen, ParsedEvent& out);
};

Status EventParser::State::object(ondemand::object object, ParsedEvent& out) {
  out.topic.reset();
  out.event = {};
  unsigned seen = 0;
  for (auto entry : object) {
    ondemand::field pair;
    if (const auto error = std::move(entry).get(pair)) return json_error(error);
    std::string_view key;
    if (const auto error = pair.unescaped_key().get(key)) return json_error(error);
    const Field name = field_of(key);
    if (name == kNone) {
      field = key.substr(0, limits::kObjectNameBytes);
      return Error{ErrorCode::kInvalidArgument, "unknown field", field};
    }
    const unsigned bit = 1U << name;
    if ((seen & bit) != 0) {
      field = key;
      return Error{ErrorCode::kDuplicateKey, "the field is there twice", field};
    }
    seen |= bit;
    if (Status status = take(name, pair.value(), out); !status) {
      field.assign(kFieldNames[name]).append(path);
      return status;
    }
  }
  return complete(seen, out);
}

Status EventParser::State::take(Field name, ondemand::value value, ParsedEvent& out) {
  path.clear();
  if (name == kPayload) return payload(value, out.event.payload);
  ondemand::json_type type{};
  if (const auto error = value.type().get(type)) return json_error(error);
  if (type == ondemand::json_type::null && name != kType) {
    bool is_null = false;
    if (const auto error = value.is_null().get(is_null)) return json_error(error);
    return is_null ? Status{} : json_error(simdjson::N_ATOM_ERROR);
  }
  if (name == kTs) {
    EBB_ASSIGN(out.event.ts_ms, ts_of(value));
    return {};
  }
  if (name == kSchema) {
    EBB_ASSIGN(out.event.schema, schema_of(value));
    return {};
  }
  return take_text(name, value, out);
}

Status EventParser::State::take_text(Field name, ondemand::value& value, ParsedEvent& out) {
  const std::size_t bytes_max = name == kType    ? limits::kTypeBytes
                                : name == kTopic ? limits::kTopicBytes
                                                 : limits::kSourceBytes;
  EBB_ASSIGN(const std::string_view text, text_of(value, bytes_max));
  if (name == kType) {
    if (text.starts_with(kReservedTypes)) {
      return Error{ErrorCode::kInvalidArgument, "types that begin with \"ebb.\" are reserved"};
    }
    out.event.type = text;
  } else if (name == kTopic) {
    EBB_RETURN_IF_ERROR(check_client_topic(text));
    out.topic = std::string(text);
  } else if (name == kId) {
    out.event.id = parse_uuid(text);
    if (!out.event.id) return Error{ErrorCode::kInvalidArgument, "has to be a UUID"};
  } else if (out.event.source) {
    return Error{ErrorCode::kInvalidArgument, "give source or device, not both"};
  } else {
    out.event.source = std::string(text);
  }
  return {};
}

Status EventParser::State::payload(ondemand::value value, Bytes& out) {
  Status walked = walk_payload(value, builder, path);
  auto bytes = builder.finish();  // also empties it
  if (!walked) return walked;
  if (bytes) {
    out = std::move(bytes).value();
    return {};
  }
  Error error = bytes.error();
  if (error.code == ErrorCode::kDuplicateKey) error.context = "a key is there twice";
  if (error.code == ErrorCode::kTooLarge) {
    error.context = "event payload";
    error.detail = "more than " + std::to_string(limits::kPayloadBytes) + " bytes as it is stored";
  }
  return error;
}

Status EventParser::State::complete(unsigned seen, ParsedEvent& out) {
  if ((seen & (1U << kType)) == 0) {
    field = "type";
    return Error{ErrorCode::kInvalidArgument, "is required"};
  }
  if (out.event.payload.empty()) codec::Writer(out.event.payload).nil();
  return {};
}

EventParser::EventParser() : state_(std::make_unique<State>()) {}
EventParser::~EventParser() = default;

Status EventParser::parse_object(std::string_view json, ParsedEvent& out) {
  state_->field.clear();
  EBB_RETURN_IF_ERROR(refuse_byte_order_mark(json));
  ondemand::document document;
  const simdjson::padded_string_view padded(json.data(), json.size(), json.size() + kJsonPadding);
  if (const auto error = state_->parser.iterate(padded).get(document)) {
    return document_error(error, json);
  }
  ondemand::object object;
  if (const auto error = document.get_object().get(object)) {
    if (error == simdjson::INCORRECT_TYPE) return wrong_type("an event has to be a JSON object");
    return document_error(error, json);
  }
  EBB_RETURN_IF_ERROR(state_->object(object, out));
  // Only at the very end is there no location any more.
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    return json_error(simdjson::TRAILING_CONTENT);
  }
  return {};
}

Status EventParser::parse_array(std::string_view json, std::vector<ParsedEvent>& out) {
  state_->field.clear();
  ondemand::document document;
  const simdjson::padded_string_view padded(json.data(), json.size(), json.size() + kJsonPadding);
  if (const auto error = state_->parser.iterate(padded).get(document)) {
    return document_error(error, json);
  }
  ondemand::array array;
  if (const auto error = document.get_array().get(array)) return document_error(error, json);
  std::size_t index = 0;
  for (auto element : array) {
    ondemand::object object;
    if (const auto error = element.get_object().get(object)) {
      if (error == simdjson::INCORRECT_TYPE) return wrong_type("an event has to be a JSON object");
      return json_error(error);
    }
    out.emplace_back();
    if (Status status = state_->object(object, out.back()); !status) {
      const std::string inner = std::exchange(state_->field, index_text(index));
      if (!inner.empty()) state_->field.append(".").append(inner);
      return status;
    }
    ++index;
  }
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    return json_error(simdjson::TRAILING_CONTENT);
  }
  return {};
}

const std::string& EventParser::field() const { return state_->field; }

}  // namespace ebb::http
