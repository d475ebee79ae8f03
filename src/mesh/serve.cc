#include "mesh/serve.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "codec/segment.h"
#include "core/planted.h"
#include "mesh/covered.h"
#include "mesh/outbox.h"

namespace ebb::mesh {
namespace {

constexpr std::size_t kReadsAtOnce = 2;
constexpr std::int64_t kHistoryAgeMs = std::int64_t{24} * 3600 * 1000;

// One range less. When nothing of the job is left, not even in the queue, an empty answer ends it.
void end_range(Context& ctx, Link& link, std::uint64_t job) {
  const auto it = link.jobs.find(job);
  if (it == link.jobs.end() || --it->second.open_ranges > 0 || it->second.unsent > 0) return;
  codec::Delta delta;
  delta.reconciliation = it->second.reconciliation;
  delta.last = true;
  link.jobs.erase(it);
  send(ctx, link, delta);
}

// What the range may still bring, up to and including this; 0 when nothing.
Seq range_end(Context& ctx, const Link& link, const ServeRange& range) {
  const LogEntry* entry = ctx.heads.find(range.log);
  if (entry == nullptr || !may_publish(ctx, link, entry->key)) return 0;
  const Seq end = range.to == 0 ? entry->held.seq : std::min(range.to, entry->held.seq);
  return end >= range.next ? end : 0;
}

std::vector<PendingRead*> reads_of(Context& ctx, const Link& link) {
  std::vector<PendingRead*> reads;
  for (auto& [token, read] : ctx.reads) {
    if (read.link == link.id) reads.push_back(&read);
  }
  return reads;
}

// A newer WANT for a log replaces what is left of the older one; `reads` are those of the link.
void cancel_range(Context& ctx, Link& link, const std::vector<PendingRead*>& reads,
                  const LogId& log) {
  for (PendingRead* read : reads)
    read->cancelled = read->cancelled || read->range.log == log;
  if (const std::optional<ServeRange> range = link.serving.take_log(log)) {
    end_range(ctx, link, range->job);
  }
}

bool has_credit(const Link& link) { return link.credit >= link.credit_reserved + kReadReserve; }

// For what one more read brings, with those that are out.
bool has_room(const Context& ctx) {
  return ctx.outbound_bytes + (ctx.reads.size() + 1) * kReadReserve <= limits::kOutboundReadsTotal;
}

bool is_live(const Link& link, const ServeRange& range) {
  const auto job = link.jobs.find(range.job);
  return job != link.jobs.end() && job->second.reconciliation.is_zero();
}

// The first range that may be read: what answers an announcement does not wait for what catches up,
// nor that for history.
ServeQueue::Iterator next_range(const Context& ctx, const Link& link) {
  std::array<bool, codec::kPriorities> waits{};
  for (std::size_t i = 1; i < codec::kPriorities; ++i) {
    const auto priority = static_cast<codec::Priority>(i);
    const bool live = priority == codec::Priority::kLive;
    waits[i] = has_backlog(ctx, link, priority) || !may_send(ctx, link, priority) ||
               (!live && !has_room(ctx));
  }
  return std::find_if(link.serving.begin(), link.serving.end(), [&](const ServeRange& range) {
    const codec::Priority priority = is_live(link, range) ? codec::Priority::kLive : range.priority;
    return !waits[codec::index_of(priority)];
  });
}

void count_served(Link& link, const ReconciliationId& id, std::uint64_t events) {
  if (link.exchange.active && link.exchange.id == id) link.exchange.events_out += events;
}

// As much as the link takes in a second, so that logs take turns on a slow one too.
std::size_t delta_bytes_max(const Context& ctx, const Link& link) {
  const std::size_t of_rate = std::clamp<std::size_t>(link.rate.bytes_per_second(),
                                                      SendQueue::kQuantum, limits::kDeltaBytes);
  return std::min(of_rate, ctx.config.tuning.delta_bytes);
}

// What is younger than a day is what people wait for.
codec::Priority age_class(const Context& ctx, const codec::SegmentView& segment) {
  const bool old = segment.head.hlc.wall().ms + kHistoryAgeMs < ctx.wall.ms;
  return old ? codec::Priority::kHistory : codec::Priority::kCatchUp;
}

// A read's segments as they go out: cut into DELTAs, and where the range stands behind them.
struct Batch {
  std::vector<QueuedDelta> deltas;
  codec::Priority priority = codec::Priority::kCatchUp;
  Seq last_seq = 0;
  std::uint64_t events = 0;
  bool out_of_credit = false;
};

Batch make_batch(const Context& ctx, const Link& link, const ServeRange& range,
                 const std::vector<SharedBytes>& segments, const ReconciliationId& id) {
  Batch batch;
  std::size_t credit = link.credit - std::min(link.credit, link.credit_reserved);
  std::size_t delta_bytes = 0;
  for (const SharedBytes& segment : segments) {
    const Result<codec::SegmentView> view = codec::decode_segment(*segment);
    batch.out_of_credit = segment->size() > credit;
    if (!view.ok() || batch.out_of_credit) break;
    if (batch.deltas.empty()) batch.priority = age_class(ctx, *view);
    const bool full = delta_bytes + segment->size() > delta_bytes_max(ctx, link);
    if (batch.deltas.empty() || full) {
      batch.deltas.push_back({range.log, id, {}, {}, range.job, false});
      delta_bytes = 0;
    }
    batch.deltas.back().segments.push_back(segment);
    delta_bytes += segment->size();
    credit -= segment->size();
    batch.last_seq = view->last_seq();
    batch.events += view->count;
  }
  return batch;
}

void send_batch(Context& ctx, Link& link, ServeRange range, ServeJob& job, Batch batch) {
  LogEntry* entry = ctx.heads.find(range.log);
  if (batch.deltas.empty() || entry == nullptr) {
    // Pushes may have used the credit meanwhile; then the read is repeated.
    if (batch.out_of_credit) {
      link.serving.push_back(range);
    } else {
      end_range(ctx, link, range.job);
    }
    return;
  }
  range.next = batch.last_seq + 1;
  PeerLog& peer = entry->peer(link.slot);
  peer.sent = std::max(peer.sent, batch.last_seq);
  count_served(link, job.reconciliation, batch.events);
  ctx.counters.events_sent += batch.events;
  const bool live = job.reconciliation.is_zero();
  const std::string& topic = entry->key.topic;
  codec::Priority priority = codec::Priority::kBulk;
  if (live) priority = push_priority(ctx, topic);
  if (!live && !job.is_repair) priority = catch_up_priority(ctx, topic, batch.priority);
  range.priority = priority;
  job.unsent += batch.deltas.size();
  if (range_end(ctx, link, range) == 0) {
    --job.open_ranges;  // what is unsent ends the job
  } else {
    link.serving.push_back(range);
  }
  for (QueuedDelta& delta : batch.deltas)
    send_segments(ctx, link, *entry, entry->key, priority, std::move(delta));
}

void start_read(Context& ctx, Link& link, const ServeRange& range, Seq end) {
  const Token token = new_token(ctx);
  link.credit_reserved += kReadReserve;
  ++link.reads_out;
  ctx.reads[token] = {link.id, range, false};
  const std::size_t bytes_max = std::min(kReadBytes, delta_bytes_max(ctx, link));
  ctx.out->reads.push_back({token, range.log, range.next, end, bytes_max});
}

}  // namespace

void send_segments(Context& ctx, Link& link, LogEntry& entry, const LogKey& key,
                   codec::Priority priority, QueuedDelta delta) {
  // What is queued of one log keeps its order, so the first one names the key.
  if (!std::exchange(entry.peer(link.slot).key_sent, true)) delta.keys.push_back(key);
  std::size_t bytes = 0;
  for (const SharedBytes& segment : delta.segments)
    bytes += segment->size();
  link.credit -= std::min(link.credit, bytes);
  send_delta(ctx, link, priority, std::move(delta));
}

bool ends_job(Link& link, std::uint64_t job) {
  const auto it = link.jobs.find(job);
  if (it == link.jobs.end() || it->second.open_ranges > 0 || it->second.unsent > 1) return false;
  link.jobs.erase(it);
  return true;
}

void delta_left(Context& ctx, Link& link, std::uint64_t job) {
  const auto it = link.jobs.find(job);
  if (it == link.jobs.end()) return;
  --it->second.unsent;
  ++it->second.open_ranges;
  end_range(ctx, link, job);
}

void on_want(Context& ctx, Link& link, const codec::Want& want) {
  if (link.jobs.size() >= limits::kWantsInHand) {
    fault(ctx, link, "too_many_wants");
    return;
  }
  const std::uint64_t job = link.next_job++;
  // One open range of its own keeps the job alive while its ranges are taken in.
  const bool live = want.reconciliation.is_zero();
  // The peer has had all that its exchange showed.
  const bool is_repair = !live && link.phase == Phase::kLive;
  const codec::Priority first = is_repair ? codec::Priority::kBulk : codec::Priority::kCatchUp;
  link.jobs[job] = {want.reconciliation, 1, 0, is_repair};
  const std::vector<PendingRead*> reads = reads_of(ctx, link);
  for (const codec::WantRange& wanted : want.ranges) {
    if (wanted.from == 0) {
      fault(ctx, link, "malformed_want");
      return;
    }
    cancel_range(ctx, link, reads, wanted.log);
    ++link.jobs[job].open_ranges;
    link.serving.push_back({wanted.log, wanted.from, wanted.to, job, first});
    LogEntry* entry = ctx.heads.find(wanted.log);
    if (entry == nullptr) continue;
    // It lacks everything from here on, whatever was sent before.
    PeerLog& peer = entry->peer(link.slot);
    peer.sent = std::min(peer.sent, wanted.from - 1);
    if (wanted.from <= entry->held.seq) unconfirm(link, *entry);
    ctx.heads.lacks(*entry, link.slot, wanted.from);
    // Of a range it may lack what comes before, too.
    if (wanted.to == 0) {
      ctx.heads.announce(*entry, link.slot, std::min(wanted.from - 1, entry->held.seq));
    }
    if (live) set_lazy(*entry, link, false);
  }
  end_range(ctx, link, job);
  touch(ctx, link);
}

void pump_reads(Context& ctx, Link& link) {
  while (!link.closed && !link.serving.empty() && link.reads_out < kReadsAtOnce &&
         has_credit(link)) {
    const auto next = next_range(ctx, link);
    if (next == link.serving.end()) {
      ctx.reads_wait = true;
      return;
    }
    const ServeRange range = link.serving.take(next);
    const Seq end = range_end(ctx, link, range);
    if (end == 0) {
      end_range(ctx, link, range.job);
    } else {
      start_read(ctx, link, range, end);
    }
  }
}

void resume_reads(Context& ctx) {
  if (!ctx.reads_wait || !has_room(ctx)) return;
  ctx.reads_wait = false;
  for (const Link* link : ctx.slots) {
    if (link != nullptr && !link->serving.empty()) touch(ctx, *link);
  }
}

void on_read_done(Context& ctx, const ReadDone& done) {
  const auto it = ctx.reads.find(done.token);
  if (it == ctx.reads.end()) return;
  const PendingRead read = it->second;
  ctx.reads.erase(it);
  Link* link = find_link(ctx, read.link);
  if (link == nullptr) return;
  if (!planted(Bug::kReadsNeverEnd)) --link->reads_out;
  link->credit_reserved -= kReadReserve;
  touch(ctx, *link);
  const auto job = link->jobs.find(read.range.job);
  if (done.failed || read.cancelled || job == link->jobs.end()) {
    end_range(ctx, *link, read.range.job);
    return;
  }
  send_batch(ctx, *link, read.range, job->second,
             make_batch(ctx, *link, read.range, done.segments, job->second.reconciliation));
}

}  // namespace ebb::mesh
