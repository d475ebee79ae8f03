// What a node does for its clients and for the engine: appends, queries, news.
#include <sys/statvfs.h>

#include <algorithm>
#include <utility>

#include "core/limits.h"
#include "node/clocks.h"
#include "node/log.h"
#include "node/node_impl.h"
#include "trust/hash.h"

namespace ebb::node {
namespace {

// What a small item needs beside its texts.
constexpr std::size_t kItemBytes = 64;
// append_queue_full() leaves room for one body of a client.
constexpr std::size_t kRoomEvents = 4096;
constexpr std::size_t kRoomBytes = limits::kHttpBodyBytes;
// A disk with so much room is not what stopped a commit.
constexpr std::uint64_t kPlentyBytes = std::uint64_t{64} << 20;
constexpr const char* kBudgetKey = "store.disk_budget_bytes";

std::optional<std::uint64_t> free_bytes(const std::string& dir) {
  struct statvfs disk {};
  if (::statvfs(dir.c_str(), &disk) != 0) return std::nullopt;
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

std::size_t size_of(const store::AppendItem& item) {
  if (const auto* event = std::get_if<store::AppendEvent>(&item)) {
    return kItemBytes + event->type.size() + event->payload.size() +
           (event->source ? event->source->size() : 0);
  }
  if (const auto* add = std::get_if<store::CounterAdd>(&item)) return kItemBytes + add->name.size();
  const auto& change = std::get<store::SetChange>(item);
  return kItemBytes + change.name.size() + change.element.size();
}

std::size_t size_of(const store::AppendBatch& batch) {
  std::size_t bytes = batch.topic.size();
  for (const store::AppendItem& item : batch.items)
    bytes += size_of(item);
  return bytes;
}

// As SQL and the local API write it.
std::string hex_of(Incarnation incarnation) {
  Bytes bytes;
  append_be64(bytes, incarnation);
  return to_hex(bytes);
}

std::uint64_t events_of(const store::CommitResult& result) {
  std::uint64_t events = 0;
  for (const store::HeadAdvance& advance : result.advances) {
    // A log that was capped may have moved back.
    if (advance.head.held.seq > advance.before.seq) {
      events += advance.head.held.seq - advance.before.seq;
    }
  }
  return events;
}

Error behind_a_break() {
  return {ErrorCode::kBusy, "an earlier part of the stream is not stored", ""};
}

}  // namespace

void Node::Impl::refuse_append(QueuedAppend append, Error error) {
  append.part.break_off();
  ++counters.appends_rejected[std::string(error_code_name(error.code))];
  inbox.post([done = std::move(append.done), error = std::move(error)] { done(error); });
}

void Node::append(store::AppendBatch batch, AppendDone done, AppendPart part) {
  Impl& impl = *impl_;
  QueuedAppend append{std::move(batch), std::move(done), 0, 0, std::move(part)};
  append.events = append.batch.items.size();
  append.bytes = size_of(append.batch);
  if (impl.stopping) return impl.refuse_append(std::move(append), stopping_error());
  if (append.part.behind_a_break()) return impl.refuse_append(std::move(append), behind_a_break());
  // What no other node would take is not begun with.
  const Status allowed =
      impl.driver.running() ? impl.driver.engine().may_append(append.batch.topic) : Status{};
  if (!allowed.ok()) return impl.refuse_append(std::move(append), allowed.error());
  if (impl.incarnation_error) {
    return impl.refuse_append(std::move(append), *impl.incarnation_error);
  }
  if (append.events > limits::kAppendQueueEvents || append.bytes > limits::kAppendQueueBytes) {
    const std::string events = std::to_string(append.events) + " events at once";
    return impl.refuse_append(std::move(append), {ErrorCode::kTooLarge, "append batch", events});
  }
  if (impl.queued_events + append.events > limits::kAppendQueueEvents ||
      impl.queued_bytes + append.bytes > limits::kAppendQueueBytes) {
    return impl.refuse_append(std::move(append), {ErrorCode::kBusy, "append queue full", ""});
  }
  impl.queued_events += append.events;
  impl.queued_bytes += append.bytes;
  if (impl.beginning_incarnation) return impl.held_appends.push_back(std::move(append));
  impl.store->append(std::move(append));
}

bool Node::append_queue_full() const {
  return impl_->queued_events + kRoomEvents > limits::kAppendQueueEvents ||
         impl_->queued_bytes + kRoomBytes > limits::kAppendQueueBytes;
}

void Node::Impl::on_committed(CommitReport report) {
  if (!report.result.ok()) report.result = told(report.result.error());
  if (report.result.ok()) {
    for (const store::HeadAdvance& advance : report.result->advances)
      heads[advance.head.log] = advance.head;
    if (!report.result->advances.empty()) state_flush.note_change();
    for (const Error& damage : report.result->damage)
      note_store_error(damage);
    for (const Error& trouble : report.result->clock_troubles)
      log_limited(LogLevel::kWarn, "clock_repair", {{"error", trouble.message()}});
  }
  note_commit(report.result);
  observe(report);
  answer_appends(report);
  if (report.clock) clock = *report.clock;
  note_clock();
  // The engine has to know whose logs they are, and in which epoch, before it hears of them.
  if (report.result.ok() && report.result->begun) on_incarnation_begun(*report.result->begun);
  if (report.result.ok() && report.result->epoch) on_epoch_taken(*report.result->epoch);
  if (epoch_doubted && !report.result.ok()) on_epoch_not_taken(report.result.error());
  std::vector<mesh::Committed> news = report.result.ok()
                                          ? committed_news(report.parts, *report.result)
                                          : committed_failure(report.parts, report.result.error());
  mark_signed(news);
  for (mesh::Committed& item : news)
    driver.feed(std::move(item));
  if (report.result.ok()) tell_listeners({report.result->advances});
}

void Node::Impl::note_commit(const Result<store::CommitResult>& result) {
  if (result.ok()) {
    store_error.reset();
    commit_timer.stop();
    commit_pause.reset();
    commit_retry_due = false;
    return;
  }
  store_error = result.error();
  note_store_error(*store_error);
  log_limited(LogLevel::kError, "commit_failed", {{"error", store_error->message()}});
  if (stopping || commit_retry_due) return;
  commit_retry_due = true;
  commit_timer.start(commit_pause.next());
}

// An idle node would hold its disk for full for ever. While there is no room it is not asked; a
// budget is not raised while the node runs.
void Node::Impl::retry_commit() {
  commit_retry_due = false;
  if (!store_error || stopping) return;
  const bool full = store_error->code == ErrorCode::kDiskFull;
  if (full && store_error->context == kBudgetKey) return;
  if (full && free_bytes(home.paths.store).value_or(0) < kRoomBytes) {
    commit_retry_due = true;
    commit_timer.start(commit_pause.next());
    return;
  }
  store->commit_kept();
}

void Node::Impl::on_incarnation_begun(const store::Begun& begun) {
  incarnation = begun.incarnation;
  epoch = begun.epoch;
  log(LogLevel::kWarn, "incarnation_begun", {{"incarnation", hex_of(incarnation)}});
  driver.feed(mesh::IncarnationBegun{begun.incarnation, begun.epoch});
}

void Node::Impl::answer_appends(CommitReport& report) {
  std::size_t next = 0;
  for (QueuedAppend& append : report.appends) {
    queued_events -= append.events;
    queued_bytes -= append.bytes;
    Result<std::vector<store::DotRange>> answer = behind_a_break();
    if (append.staged && report.result.ok()) {
      answer = std::move(report.result->appends.at(next++));
    } else if (append.staged) {
      answer = report.result.error();
    }
    if (answer.ok()) {
      for (const store::DotRange& range : *answer) {
        (range.duplicate ? counters.append_duplicates : counters.events_appended) += range.count;
      }
    } else {
      ++counters.appends_rejected[std::string(error_code_name(answer.error().code))];
    }
    append.done(std::move(answer));
  }
}

void Node::Impl::observe(const CommitReport& report) {
  if (!report.result.ok()) {
    ++counters.commits_failed;
    return;
  }
  ++counters.commits;
  counters.commit_seconds.observe(static_cast<double>(report.took.us) / 1e6);
  counters.commit_events.observe(static_cast<double>(events_of(*report.result)));
  const WallTime now = wall_now();
  for (const store::HeadAdvance& advance : report.result->advances) {
    if (advance.own_append) continue;
    const std::int64_t ms = std::max<std::int64_t>(now.ms - advance.head.hlc.wall().ms, 0);
    counters.convergence_seconds.observe(static_cast<double>(ms) / 1e3);
  }
}

// A listener may subscribe and unsubscribe, itself too.
void Node::Impl::tell_listeners(const CommitNews& news) {
  if (news.advances.empty()) return;
  std::vector<SubscriptionId> ids;
  for (const auto& [id, listener] : listeners)
    ids.push_back(id);
  for (const SubscriptionId id : ids) {
    const auto it = listeners.find(id);
    if (it == listeners.end()) continue;
    const std::function<void(const CommitNews&)> listener = it->second;
    listener(news);
  }
}

void Node::Impl::on_read(const mesh::Read& read) {
  auto answer = std::make_shared<mesh::ReadDone>();
  answer->token = read.token;
  readers.run(
      Readers::Lane::kEngine,
      [answer, read](const store::Reader& reader) {
        auto segments = reader.read_segments(read.log, read.from, read.to, read.bytes_max);
        if (segments.ok()) {
          answer->segments = std::move(segments).value();
        } else {
          answer->failed = segments.error();
        }
      },
      [this, answer](const Status& status) {
        if (!status.ok()) answer->failed = status.error();
        if (answer->failed) {
          note_store_error(*answer->failed);
          log_limited(LogLevel::kError, "read_failed", {{"error", answer->failed->message()}});
        }
        driver.feed(std::move(*answer));
        finish_stop();
      });
}

// As a client's append, but for the queue's bounds: the engine writes one at a time. Where it is
// not stored the engine asks again.
void Node::Impl::on_record(mesh::WriteRecord record) {
  if (stopping) return;
  store::AppendEvent event;
  event.type = std::string(record.type);
  event.payload = std::move(record.payload);
  QueuedAppend append;
  append.batch.topic = std::string(kControlTopic);
  append.batch.items.push_back(std::move(event));
  append.done = [](const Result<std::vector<store::DotRange>>&) {};
  append.events = append.batch.items.size();
  append.bytes = size_of(append.batch);
  queued_events += append.events;
  queued_bytes += append.bytes;
  if (beginning_incarnation) return held_appends.push_back(std::move(append));
  store->append(std::move(append));
}

void Node::Impl::on_peer_clock(const std::optional<PeerClock>& heard) {
  if (stopping) return;
  store->run_writing([this, heard](store::Store& opened) -> StoreThread::Answer {
    opened.hear_peers(heard);
    auto report = std::make_shared<CommitReport>();
    // A clock that is proven wrong is not left so until the next event.
    const ClockReading now = clock_reading();
    const bool repairs = opened.clock_judge().judge(now).repair_ms.has_value();
    store::CommitBatch nothing;
    nothing.now = now;
    nothing.probe = true;
    if (repairs) report->result = opened.commit(nothing);
    report->clock = opened.clock_judge();
    return [this, report, repairs] {
      if (repairs) return on_committed(std::move(*report));
      clock = *report->clock;
      note_clock();
    };
  });
}

void Node::query(bool flush_state, std::function<void(const store::Reader&)> work,
                 std::function<void(Status)> done) {
  Impl& impl = *impl_;
  if (impl.stopping) {
    impl.inbox.post([done = std::move(done)] { done(stopping_error()); });
    return;
  }
  auto read = [&impl, work = std::move(work), done](Status flushed) {
    const auto finished = [&impl, done](Status status) {
      done(std::move(status));
      impl.finish_stop();
    };
    if (!flushed.ok()) return finished(std::move(flushed));
    impl.readers.run(Readers::Lane::kQuery, work, finished);
  };
  if (!flush_state) {
    impl.inbox.post([read = std::move(read)] { read({}); });
    return;
  }
  // Never from inside this call, whatever becomes of it at once.
  impl.inbox.post([&impl, read = std::move(read)] {
    if (!impl.state_flush.needed()) return read({});
    impl.state_flush.wait(read);
  });
}

// A budget that is used up looks to the store as a full disk does, but it is mended elsewhere.
Error Node::Impl::told(const Error& error) const {
  if (error.code != ErrorCode::kDiskFull || config.disk_budget_bytes == 0) return error;
  if (free_bytes(home.paths.store).value_or(0) < kPlentyBytes) return error;
  return {ErrorCode::kDiskFull, kBudgetKey,
          "the store has grown to its " + std::to_string(config.disk_budget_bytes) +
              " bytes: raise it in " + home.paths.config + " and start the node again"};
}

void Node::Impl::note_store_error(const Error& error) {
  if (error.code != ErrorCode::kCorrupt || store_damage) return;
  store_damage = error;
  log(LogLevel::kError, "store_damaged", {{"error", error.message()}});
}

void Node::note_store_error(const Error& error) { impl_->note_store_error(error); }
bool Node::stopping() const { return impl_->stopping; }

void Node::digest(std::function<void(Result<Hash>)> done) {
  if (impl_->stopping) {
    impl_->inbox.post([done = std::move(done)] { done(stopping_error()); });
    return;
  }
  impl_->store->run([done = std::move(done)](store::Store& opened) -> StoreThread::Answer {
    // What ends early in one log is nobody's state.
    if (!opened.fold_damage().empty()) {
      return [done, damage = opened.fold_damage().front()] { done(damage); };
    }
    return [done, digest = opened.state_digest()] { done(digest); };
  });
}

Node::SubscriptionId Node::subscribe(std::function<void(const CommitNews&)> listener) {
  const SubscriptionId id = impl_->next_subscription++;
  impl_->listeners.emplace(id, std::move(listener));
  return id;
}

void Node::unsubscribe(SubscriptionId id) { impl_->listeners.erase(id); }

}  // namespace ebb::node
