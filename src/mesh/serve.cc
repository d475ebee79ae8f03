#include "mesh/serve.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "codec/segment.h"

namespace ebb::mesh {
namespace {

constexpr std::size_t kReadsAtOnce = 2;
// The largest encoded segment: its body and what is around it.
constexpr std::size_t kSegmentBytesMax = limits::kSegmentDecodedBytes + 512;
// A read may go beyond its bound by a segment, which shall still fit the same DELTA as a rule.
constexpr std::size_t kReadBytes = limits::kDeltaBytes - limits::kSegmentRestBytes;
// Credit that a read sets aside. Whole reads only, so that a link which lives on returned credit is
// not served in crumbs.
constexpr std::size_t kReadReserve = kReadBytes + kSegmentBytesMax;

void end_range(Link& link, const ServeRange& range, bool& job_ended, ReconciliationId& id) {
  const auto it = link.jobs.find(range.job);
  job_ended = false;
  if (it == link.jobs.end()) return;
  id = it->second.reconciliation;
  if (--it->second.open_ranges > 0) return;
  link.jobs.erase(it);
  job_ended = true;
}

// The range brought nothing (more): its job may end with an empty answer.
void end_range_empty(Context& ctx, Link& link, const ServeRange& range) {
  bool job_ended = false;
  codec::Delta delta;
  end_range(link, range, job_ended, delta.reconciliation);
  if (!job_ended) return;
  delta.last = true;
  send(ctx, link, delta);
}

// What the range may still bring, up to and including this; 0 when nothing.
Seq range_end(Context& ctx, const Link& link, const ServeRange& range) {
  const LogEntry* entry = ctx.heads.find(range.log);
  if (entry == nullptr || !may_publish(ctx, link, *entry)) return 0;
  const Seq end = range.to == 0 ? entry->held.seq : std::min(range.to, entry->held.seq);
  return end >= range.next ? end : 0;
}

// A newer WANT for a log replaces what is left of the older one.
void cancel_ranges(Context& ctx, Link& link, const LogId& log) {
  std::vector<ServeRange> ended;
  for (auto it = link.serving.begin(); it != link.serving.end();) {
    if (it->log == log) {
      ended.push_back(*it);
      it = link.serving.erase(it);
    } else {
      ++it;
    }
  }
  for (auto& [token, read] : ctx.reads) {
    if (read.link == link.id && read.range.log == log) read.cancelled = true;
  }
  for (const ServeRange& range : ended)
    end_range_empty(ctx, link, range);
}

bool has_credit(const Link& link) {
  return link.credit >= link.credit_reserved + kReadReserve &&
         link.waiting_bytes <= limits::kInboundBytesPerPeer;
}

void count_served(Link& link, const ReconciliationId& id, std::uint64_t events) {
  if (link.exchange.active && link.exchange.id == id) link.exchange.events_out += events;
}

// A read's segments as they go out: cut into DELTAs, and where the range stands behind them.
struct Batch {
  std::vector<codec::Delta> deltas;
  Seq last_seq = 0;
  std::uint64_t events = 0;
  bool out_of_credit = false;
};

Batch make_batch(const std::vector<SharedBytes>& segments, std::size_t credit,
                 const ReconciliationId& id) {
  Batch batch;
  std::size_t delta_bytes = 0;
  for (const SharedBytes& segment : segments) {
    const Result<codec::SegmentView> view = codec::decode_segment(*segment);
    batch.out_of_credit = segment->size() > credit;
    if (!view.ok() || batch.out_of_credit) break;
    const bool full = delta_bytes + segment->size() > limits::kDeltaBytes;
    if (batch.deltas.empty() || full) {
      batch.deltas.emplace_back();
      batch.deltas.back().reconciliation = id;
      delta_bytes = 0;
    }
    batch.deltas.back().segments.emplace_back(*segment);
    delta_bytes += segment->size();
    credit -= segment->size();
    batch.last_seq = view->last_seq();
    batch.events += view->count;
  }
  return batch;
}

void send_batch(Context& ctx, Link& link, ServeRange range, Batch batch) {
  LogEntry* entry = ctx.heads.find(range.log);
  if (batch.deltas.empty() || entry == nullptr) {
    // Pushes may have used the credit meanwhile; then the read is repeated.
    if (batch.out_of_credit) {
      link.serving.push_back(range);
    } else {
      end_range_empty(ctx, link, range);
    }
    return;
  }
  range.next = batch.last_seq + 1;
  PeerLog& peer = entry->peer(link.slot);
  peer.sent = std::max(peer.sent, batch.last_seq);
  count_served(link, batch.deltas.front().reconciliation, batch.events);
  ctx.counters.events_sent += batch.events;
  if (range_end(ctx, link, range) == 0) {
    ReconciliationId id;
    end_range(link, range, batch.deltas.back().last, id);
  } else {
    link.serving.push_back(range);
  }
  for (codec::Delta& delta : batch.deltas) {
    send_segments(ctx, link, *entry, entry->key, std::move(delta));
  }
}

void start_read(Context& ctx, Link& link, const ServeRange& range, Seq end) {
  const Token token = new_token(ctx);
  link.credit_reserved += kReadReserve;
  ++link.reads_out;
  ctx.reads[token] = {link.id, range, false};
  ctx.out->reads.push_back({token, range.log, range.next, end, kReadBytes});
}

}  // namespace

void send_segments(Context& ctx, Link& link, LogEntry& entry, const LogKey& key,
                   codec::Delta delta) {
  PeerLog& peer = entry.peer(link.slot);
  if (!peer.key_sent) {
    delta.keys.push_back(key);
    peer.key_sent = true;
  }
  std::size_t bytes = 0;
  for (const ByteView segment : delta.segments)
    bytes += segment.size();
  link.credit -= std::min(link.credit, bytes);
  send(ctx, link, delta, bytes);
}

void on_want(Context& ctx, Link& link, const codec::Want& want) {
  if (link.jobs.size() >= limits::kWantsInHand) {
    fault(ctx, link, "too_many_wants");
    return;
  }
  const std::uint64_t job = link.next_job++;
  // One open range of its own keeps the job alive while its ranges are taken in.
  link.jobs[job] = {want.reconciliation, 1};
  const bool live = want.reconciliation.is_zero();
  for (const codec::WantRange& wanted : want.ranges) {
    if (wanted.from == 0) {
      fault(ctx, link, "malformed_want");
      return;
    }
    cancel_ranges(ctx, link, wanted.log);
    ++link.jobs[job].open_ranges;
    link.serving.push_back({wanted.log, wanted.from, wanted.to, job});
    LogEntry* entry = ctx.heads.find(wanted.log);
    if (entry == nullptr) continue;
    // It lacks everything from here on, whatever was sent before.
    PeerLog& peer = entry->peer(link.slot);
    peer.sent = std::min(peer.sent, wanted.from - 1);
    ctx.heads.announce(*entry, link.slot, std::min(wanted.from - 1, entry->held.seq));
    if (live) entry->lazy &= ~slot_bit(link.slot);
  }
  end_range_empty(ctx, link, ServeRange{{}, 1, 0, job});
  touch(ctx, link);
}

void pump_reads(Context& ctx, Link& link) {
  while (!link.closed && !link.serving.empty() && link.reads_out < kReadsAtOnce &&
         has_credit(link)) {
    const ServeRange range = link.serving.front();
    link.serving.pop_front();
    const Seq end = range_end(ctx, link, range);
    if (end == 0) {
      end_range_empty(ctx, link, range);
    } else {
      start_read(ctx, link, range, end);
    }
  }
}

void on_read_done(Context& ctx, const ReadDone& done) {
  const auto it = ctx.reads.find(done.token);
  if (it == ctx.reads.end()) return;
  const PendingRead read = it->second;
  ctx.reads.erase(it);
  Link* link = find_link(ctx, read.link);
  if (link == nullptr) return;
  --link->reads_out;
  link->credit_reserved -= kReadReserve;
  touch(ctx, *link);
  const auto job = link->jobs.find(read.range.job);
  if (done.failed || read.cancelled || job == link->jobs.end()) {
    end_range_empty(ctx, *link, read.range);
    return;
  }
  const std::size_t credit = link->credit - std::min(link->credit, link->credit_reserved);
  send_batch(ctx, *link, read.range, make_batch(done.segments, credit, job->second.reconciliation));
}

}  // namespace ebb::mesh
