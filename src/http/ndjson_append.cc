#include "http/ndjson_append.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "core/limits.h"
#include "http/appended.h"
#include "http/json_events.h"
#include "http/ndjson.h"

namespace ebb::http {
namespace {

// How soon a stream that waits for other programs' appends looks again.
constexpr Duration kQueueRetry = milliseconds(10);

// What ended the stream early.
struct Refusal {
  Error error;
  std::string field;
  std::uint64_t line = 0;
};

class NdjsonAppend final : public BodySink, public std::enable_shared_from_this<NdjsonAppend> {
 public:
  NdjsonAppend(const RequestPtr& request, std::string topic)
      : request_(request),
        node_(request->node()),
        topic_(std::move(topic)),
        soon_whole_(request->length_known()) {}

  void take(std::string_view chunk) override {
    if (refusal_) return;  // nothing behind it counts
    cutter_.push(chunk);
    advance();
  }
  bool full() const override { return blocked_; }
  void end() override {
    ended_ = true;
    cutter_.finish();
    advance();
  }

 private:
  struct Piece {
    std::uint64_t id = 0;
    std::uint64_t first_line = 0;
    bool closes = false;  // what it belongs to is committed with it
    std::optional<Result<std::vector<store::DotRange>>> result = std::nullopt;
  };

  void advance();
  bool may_read() const;
  void settle_gathered();
  void read_lines();
  void take_event(ParsedEvent event, std::size_t bytes);
  void send_piece(bool more_soon);
  void piece_done(std::uint64_t id, Result<std::vector<store::DotRange>> result);
  void acknowledge();
  void refuse(Error error, std::string field, std::uint64_t line);
  void answer();
  void wait_for_queue();

  std::weak_ptr<Request> request_;
  node::Node& node_;
  std::string topic_;
  const bool soon_whole_;
  node::AppendStream stream_;
  NdjsonCutter cutter_{limits::kHttpLineBytes};
  EventParser parser_;
  store::AppendBatch gathered_;
  std::size_t gathered_bytes_ = 0;
  std::uint64_t gathered_line_ = 0;  // of its first event
  std::size_t part_events_ = 0;      // sent, of the part that is not closed yet
  std::size_t part_bytes_ = 0;
  std::deque<Piece> pieces_;  // on their way, in order
  std::uint64_t next_piece_ = 1;
  Appended appended_{limits::kHttpDotRanges};
  std::optional<Refusal> refusal_;
  bool ended_ = false;      // all bytes are here
  bool exhausted_ = false;  // and all lines are read
  bool blocked_ = false;
  std::unique_ptr<node::Node::Watch> retry_;
};

// Does all that can be done now.
void NdjsonAppend::advance() {
  bool was_blocked = blocked_;
  do {
    acknowledge();
    was_blocked = was_blocked || blocked_;
    read_lines();
    settle_gathered();
    acknowledge();
  } while (blocked_ && may_read());
  if (blocked_) wait_for_queue();
  if (pieces_.empty() && gathered_.items.empty() && (refusal_ || exhausted_)) return answer();
  const auto request = request_.lock();
  if (was_blocked && !blocked_ && request) request->wake();
}

bool NdjsonAppend::may_read() const {
  const auto parts = std::count_if(pieces_.begin(), pieces_.end(),
                                   [](const Piece& piece) { return piece.closes; });
  return std::cmp_less(parts, limits::kHttpPartsInFlight) && !node_.append_queue_full();
}

void NdjsonAppend::read_lines() {
  std::string_view line;
  blocked_ = false;
  while (!refusal_) {
    if (!may_read()) {
      blocked_ = true;
      return;
    }
    switch (cutter_.next(line)) {
      case NdjsonCutter::Next::kNeedMore:
        exhausted_ = ended_;
        return;
      case NdjsonCutter::Next::kTooLong:
        return refuse({ErrorCode::kTooLarge, "line",
                       "more than " + std::to_string(limits::kHttpLineBytes) + " bytes"},
                      "", cutter_.line_number());
      case NdjsonCutter::Next::kLine:
        ParsedEvent event;
        if (const Status status = parser_.parse_object(line, event); !status) {
          return refuse(status.error(), parser_.field(), cutter_.line_number());
        }
        take_event(std::move(event), line.size());
    }
  }
}

// What has gathered goes out when something follows it, so that the last piece of a body is known
// to be the last.
void NdjsonAppend::take_event(ParsedEvent event, std::size_t bytes) {
  const std::string& topic = event.topic ? *event.topic : topic_;
  const bool closes = part_events_ + gathered_.items.size() >= limits::kHttpPartEvents ||
                      part_bytes_ + gathered_bytes_ >= limits::kHttpPartBytes;
  const bool full = closes || gathered_.items.size() >= limits::kHttpPieceEvents;
  if (full || gathered_.topic != topic) send_piece(!closes);
  if (gathered_.items.empty()) {
    gathered_.topic = topic;
    gathered_line_ = cutter_.line_number();
  }
  gathered_.items.emplace_back(std::move(event.event));
  gathered_bytes_ += bytes;
}

void NdjsonAppend::settle_gathered() {
  if (gathered_.items.empty()) return;
  if (refusal_ && refusal_->line <= gathered_line_) {
    gathered_ = {};
  } else if ((pieces_.empty() && !soon_whole_) || refusal_ || exhausted_) {
    // Others may have filled the queue since the last line was read.
    blocked_ = node_.append_queue_full();
    if (!blocked_) send_piece(false);
  }
}

void NdjsonAppend::send_piece(bool more_soon) {
  if (gathered_.items.empty()) return;
  const std::uint64_t id = next_piece_++;
  pieces_.push_back({.id = id, .first_line = gathered_line_, .closes = !more_soon});
  part_events_ = more_soon ? part_events_ + gathered_.items.size() : 0;
  part_bytes_ = more_soon ? part_bytes_ + gathered_bytes_ : 0;
  gathered_bytes_ = 0;
  const auto done = [weak = weak_from_this(), id](auto result) {
    if (const auto self = weak.lock()) self->piece_done(id, std::move(result));
  };
  node_.append(std::exchange(gathered_, {}), done, {more_soon, stream_});
}

void NdjsonAppend::piece_done(std::uint64_t id, Result<std::vector<store::DotRange>> result) {
  const auto piece = std::find_if(pieces_.begin(), pieces_.end(),
                                  [id](const Piece& each) { return each.id == id; });
  if (piece != pieces_.end()) piece->result = std::move(result);
  advance();
}

// What is stored is an unbroken beginning of the stream.
void NdjsonAppend::acknowledge() {
  for (; !pieces_.empty() && pieces_.front().result; pieces_.pop_front()) {
    const Piece& piece = pieces_.front();
    if (refusal_ && refusal_->line <= piece.first_line) continue;
    if (piece.result->ok()) {
      appended_.add(piece.result->value());
    } else {
      refuse(piece.result->error(), "", piece.first_line);
    }
  }
}

// The earliest line counts.
void NdjsonAppend::refuse(Error error, std::string field, std::uint64_t line) {
  if (refusal_ && refusal_->line < line) return;
  refusal_ = Refusal{std::move(error), std::move(field), line};
}

void NdjsonAppend::answer() {
  const auto request = request_.lock();
  if (!request) return;
  retry_.reset();
  Answer answer;
  JsonWriter out(answer.body);
  out.begin_object();
  if (refusal_) {
    answer.status = http_status(refusal_->error.code);
    if (refusal_->error.code == ErrorCode::kBusy) add_retry_after(answer);
    write_error(out.key("error"), refusal_->error, refusal_->field, refusal_->line);
  }
  appended_.write(out);
  out.end_object();
  request->answer(std::move(answer));
}

void NdjsonAppend::wait_for_queue() {
  if (!pieces_.empty()) return;  // their answers will come
  retry_ = node_.call_after(kQueueRetry, [this] { advance(); });
}

}  // namespace

std::shared_ptr<BodySink> make_ndjson_append(const RequestPtr& request, std::string topic) {
  return std::make_shared<NdjsonAppend>(request, std::move(topic));
}

}  // namespace ebb::http
