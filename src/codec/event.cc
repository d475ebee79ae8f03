#include "codec/event.h"

#include "codec/body_reader.h"
#include "codec/utf8.h"
#include "codec/value.h"
#include "codec/walk.h"
#include "core/limits.h"

namespace ebb::codec {
namespace {

constexpr std::size_t kFields = 8;
constexpr std::uint64_t kFormatMask = 0x0f;
constexpr std::uint64_t kKnownFlags = kFormatMask | kFlagSuspectTime;

Status check_name(std::string_view text, std::size_t bytes_max, std::string_view what) {
  if (text.empty()) return Error{ErrorCode::kInvalidArgument, what, "is empty"};
  if (text.size() > bytes_max) return Error{ErrorCode::kTooLarge, what};
  if (!is_utf8(text)) return Error{ErrorCode::kMalformed, what, "is not UTF-8"};
  return {};
}

Status check_fields(const EventView& event) {
  if ((event.flags & ~kFlagSuspectTime) != kEventFormat) {
    return Error{ErrorCode::kInvalidArgument, "event: flags"};
  }
  EBB_RETURN_IF_ERROR(check_name(event.type, limits::kTypeBytes, "event: type"));
  if (event.source) {
    EBB_RETURN_IF_ERROR(check_name(*event.source, limits::kSourceBytes, "event: source"));
  }
  if (event.payload.empty()) return Error{ErrorCode::kInvalidArgument, "event: no payload"};
  if (event.payload.size() > limits::kPayloadBytes) {
    return Error{ErrorCode::kTooLarge, "event: payload"};
  }
  return {};
}

// Takes the fields as they come by; only they, and where the payload lies, are kept.
class EventSink final : public TokenSink {
 public:
  explicit EventSink(EventView& event) : event_(event) {}

  bool take(const Token& token) override {
    if (token.kind == TokenKind::kEnd) return true;  // of the payload or of the event
    if (token.depth == 1) return field(index_++, token);
    fields_ = token.size;
    // A newer format may have more fields than we know; an event of ours may not.
    return token.kind == TokenKind::kArray && fields_ >= 2
               ? true
               : refuse(ErrorCode::kMalformed, "event: not an array of its fields");
  }

  bool newer_format() const { return newer_; }
  ByteView payload(ByteView bytes) const {
    return bytes.subspan(payload_begin_, payload_end_ - payload_begin_);
  }

 private:
  bool field(std::size_t index, const Token& token) {
    switch (index) {
      case 0:
        return flags(token);
      case 1:
        return hlc(token);
      case 2:
        return ts(token);
      case 3:
        return type(token);
      case 4:
        return source(token);
      case 5:
        if (token.kind != TokenKind::kUint) return bad("event: schema");
        event_.schema = token.number;
        return true;
      case 6:
        payload_begin_ = token.begin;
        return true;
      default:
        return id(token);
    }
  }

  bool bad(std::string_view what) { return refuse(ErrorCode::kMalformed, what); }

  bool flags(const Token& token) {
    if (token.kind != TokenKind::kUint) return bad("event: flags");
    const std::uint64_t format = token.number & kFormatMask;
    event_.flags = static_cast<std::uint8_t>(token.number);
    newer_ = format > kEventFormat;
    // What its other bits say, and how many there are, is for a newer format to define.
    if (newer_) return true;
    if (format != kEventFormat || (token.number & ~kKnownFlags) != 0) return bad("event: flags");
    return fields_ == kFields || bad("event: number of fields");
  }

  bool hlc(const Token& token) {
    if (token.kind != TokenKind::kUint) {
      newer_ = false;
      return bad("event: hlc");
    }
    event_.hlc = {token.number};
    // Every format begins with flags and hlc; what follows is not ours to judge.
    return !newer_ || refuse(ErrorCode::kUnsupported, "event: newer format");
  }

  bool ts(const Token& token) {
    if (token.kind == TokenKind::kNil) return true;
    const bool fits = token.kind == TokenKind::kNegative ||
                      (token.kind == TokenKind::kUint && token.number <= INT64_MAX);
    if (!fits) return bad("event: ts");
    event_.ts_ms = static_cast<std::int64_t>(token.number);
    return true;
  }

  bool type(const Token& token) {
    if (token.kind != TokenKind::kStr || token.size == 0) return bad("event: type");
    if (token.size > limits::kTypeBytes) return refuse(ErrorCode::kTooLarge, "event: type");
    event_.type = token.text();
    return true;
  }

  bool source(const Token& token) {
    if (token.kind == TokenKind::kNil) return true;
    if (token.kind != TokenKind::kStr || token.size == 0) return bad("event: source");
    if (token.size > limits::kSourceBytes) return refuse(ErrorCode::kTooLarge, "event: source");
    event_.source = token.text();
    return true;
  }

  bool id(const Token& token) {
    payload_end_ = token.begin;
    if (payload_end_ - payload_begin_ > limits::kPayloadBytes) {
      return refuse(ErrorCode::kTooLarge, "event: payload");
    }
    if (token.kind == TokenKind::kNil) return true;
    if (token.kind != TokenKind::kBin) return bad("event: id");
    event_.id = Uuid::from(token.bytes());
    return event_.id.has_value() || bad("event: id");
  }

  EventView& event_;
  std::size_t index_ = 0;
  std::size_t fields_ = 0;
  std::size_t payload_begin_ = 0;
  std::size_t payload_end_ = 0;
  bool newer_ = false;
};

constexpr WalkLimits kEventWalk{.depth_max = limits::kDepth + 1, .sink_depth_max = 1};

}  // namespace

Status encode_event(const EventView& event, Bytes& out) {
  EBB_RETURN_IF_ERROR(validate(event.payload, limits::kPayloadBytes, limits::kDepth));
  return encode_event_trusted_payload(event, out);
}

Status encode_event_trusted_payload(const EventView& event, Bytes& out) {
  EBB_RETURN_IF_ERROR(check_fields(event));
  Writer writer(out);
  writer.array(kFields);
  writer.uint(event.flags);
  writer.uint(event.hlc.value);
  event.ts_ms ? writer.integer(*event.ts_ms) : writer.nil();
  writer.str(event.type);
  event.source ? writer.str(*event.source) : writer.nil();
  writer.uint(event.schema);
  writer.raw(event.payload);
  event.id ? writer.bin(event.id->view()) : writer.nil();
  return {};
}

Result<EventView> decode_event(ByteView bytes) {
  EventView event;
  EventSink sink(event);
  EBB_ASSIGN(const std::size_t size, walk(bytes, kEventWalk, &sink));
  if (size != bytes.size()) return Error{ErrorCode::kMalformed, "event: bytes behind it"};
  event.payload = sink.payload(bytes);
  return event;
}

Result<BodyReader::Next> BodyReader::next() {
  Next next;
  EventSink sink(next.event);
  const auto size = walk(rest_, kEventWalk, &sink);
  std::size_t end = 0;
  if (size) {
    end = *size;
    next.event.payload = sink.payload(rest_);
  } else {
    EBB_ASSIGN(end, value_size(rest_));
    next.newer_format = size.error().code == ErrorCode::kUnsupported && sink.newer_format();
    if (!next.newer_format) next.fault = size.error();
  }
  next.bytes = rest_.first(end);
  rest_ = rest_.subspan(end);
  return next;
}

}  // namespace ebb::codec
