#include "http/follow.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/limits.h"
#include "http/event_page.h"

namespace ebb::http {
namespace {

// A page is a part of what may be kept, so that the next one can be read while it is sent.
constexpr PageBounds kPage{.events = 1000, .bytes = limits::kHttpFollowBytes / 8};
constexpr std::size_t kReadAheadBytes = limits::kHttpFollowBytes / 2;
// So often a line goes to a client for whom there is nothing, which shows whether it is still
// there.
constexpr Duration kAlive = seconds(15);
// How often in its patience it looks whether the client still takes what waits.
constexpr std::int64_t kLooks = 6;
constexpr std::string_view kEventEnd = "\n\n";
constexpr std::string_view kDropped = "event: dropped\ndata: {}\n\n";
constexpr std::string_view kStopped = "event: stopped\ndata: {}\n\n";

class Follower final : public BodySource, public std::enable_shared_from_this<Follower> {
 public:
  Follower(const RequestPtr& request, EventQuery query)
      : context_(request->context()),
        node_(request->node()),
        request_(request),
        filter_(std::move(query.filter)) {
    ++context_.followers;
    for (const store::HeadRecord& head : node_.heads())
      note_head(head);
    positions_ = query.has_after ? std::exchange(filter_.after, {}) : heads_;
    taken_ = written_ = node_.now();
  }
  ~Follower() override {
    node_.unsubscribe(subscription_);
    --context_.followers;
  }

  void start() {
    subscription_ = node_.subscribe([this](const node::CommitNews& news) {
      for (const store::HeadAdvance& advance : news.advances)
        note_head(advance.head);
      read_more();
    });
    look_again();
    read_more();
  }

  std::ptrdiff_t read(std::span<char> out) override {
    const std::size_t size = std::min(out.size(), buffer_.size() - sent_);
    std::memcpy(out.data(), buffer_.data() + sent_, size);
    sent_ += size;
    taken_ = node_.now();
    if (sent_ == buffer_.size()) {
      buffer_.clear();
      sent_ = 0;
      if (ended_ && size == 0) return kEnd;
    }
    read_more();
    return static_cast<std::ptrdiff_t>(size);
  }

  void finish() override {
    if (ended_) return;
    ended_ = true;
    timer_.reset();
    put(kStopped);
  }

 private:
  void note_head(const store::HeadRecord& head);
  bool is_behind() const;
  void read_more();
  void page_done(const Positions& heads, EventPage page);
  void put(std::string_view text);
  void look_again();
  void look();
  void drop();

  Context& context_;
  node::Node& node_;
  std::weak_ptr<Request> request_;
  store::EventFilter filter_;
  Positions heads_;      // of the logs that the filter lets through
  Positions positions_;  // read so far
  std::string buffer_;
  std::size_t sent_ = 0;  // of the buffer
  Instant taken_, written_;
  bool reading_ = false;
  bool ended_ = false;
  node::Node::SubscriptionId subscription_ = 0;
  std::unique_ptr<node::Node::Watch> timer_;
};

void Follower::note_head(const store::HeadRecord& head) {
  if (!filter_.takes(head)) return;
  heads_[head.log] = head.held.seq;
}

bool Follower::is_behind() const {
  for (const auto& [log, seq] : heads_) {
    const auto it = positions_.find(log);
    if (it == positions_.end() || it->second < seq) return true;
  }
  return false;
}

void Follower::read_more() {
  if (reading_ || ended_ || buffer_.size() - sent_ > kReadAheadBytes || !is_behind()) return;
  reading_ = true;
  const auto page = std::make_shared<EventPage>();
  store::EventFilter filter = filter_;
  filter.after = positions_;
  node_.query(
      false,
      [page, filter = std::move(filter)](const store::Reader& reader) {
        *page = read_page(reader, filter, PageForm::kServerEvents, kPage);
      },
      [page, heads = heads_, weak = weak_from_this()](const Status& status) {
        const auto self = weak.lock();
        if (!self) return;
        if (!status) page->status = status;
        self->page_done(heads, std::move(*page));
      });
}

// `heads` are those of the moment when the page was asked for.
void Follower::page_done(const Positions& heads, EventPage page) {
  reading_ = false;
  if (ended_) return;
  if (!page.status) {
    if (node_.stopping()) return finish();
    node_.note_store_error(page.status.error());
    std::string text = "event: error\ndata: ";
    JsonWriter out(text);
    write_error(out, page.status.error(), "");
    ended_ = true;
    put(text.append("\n\n"));
    return;
  }
  positions_ = std::move(page.positions);
  // Nothing up to these was left out, but what the filter leaves out.
  if (!page.more) {
    for (const auto& [log, seq] : heads)
      positions_[log] = std::max(positions_[log], seq);
  }
  if (!page.text.empty()) put(page.text);
  read_more();
}

void Follower::put(std::string_view text) {
  if (buffer_.size() == sent_) taken_ = node_.now();  // nothing waited until now
  // The last of what was sent stays, to see where in an event it ended.
  const std::size_t kept = std::min(sent_, kEventEnd.size());
  buffer_.erase(0, sent_ - kept);
  sent_ = kept;
  buffer_.append(text);
  written_ = node_.now();
  if (const auto request = request_.lock()) request->wake();
}

void Follower::look_again() {
  timer_ = node_.call_after(context_.follow_patience / kLooks, [this] { look(); });
}

void Follower::look() {
  const Instant now = node_.now();
  const bool waits = buffer_.size() > sent_;
  if (waits && now - taken_ > context_.follow_patience) return drop();
  if (!waits && now - written_ >= kAlive) put(": alive\n\n");
  look_again();
}

// The event that is being sent is kept whole, or the client would read a broken one.
void Follower::drop() {
  ended_ = true;
  ++context_.followers_dropped;
  timer_.reset();
  const bool in_event =
      sent_ > 0 && !std::string_view(buffer_).substr(0, sent_).ends_with(kEventEnd);
  const std::size_t found = in_event ? buffer_.find(kEventEnd, sent_ - 1) : std::string::npos;
  buffer_.resize(found == std::string::npos ? sent_ : found + kEventEnd.size());
  put(kDropped);
}

}  // namespace

void follow_events(const RequestPtr& request, EventQuery query) {
  if (request->context().followers >= limits::kHttpFollowers) {
    Answer busy = error_answer(
        {ErrorCode::kBusy, "followers", "no more than " + std::to_string(limits::kHttpFollowers)});
    busy.status = 429;
    return request->answer(std::move(busy));
  }
  const auto follower = std::make_shared<Follower>(request, std::move(query));
  follower->start();
  Answer answer{.content_type = "text/event-stream"};
  answer.headers.emplace_back("Cache-Control", "no-store");
  answer.source = follower;
  request->answer(std::move(answer));
}

}  // namespace ebb::http
