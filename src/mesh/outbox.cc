#include "mesh/outbox.h"

#include <algorithm>
#include <utility>

#include "core/planted.h"
#include "core/secret.h"
#include "mesh/serve.h"

namespace ebb::mesh {
namespace {

// Small messages of one step share a Send; large ones would only be copied for it.
constexpr std::size_t kCoalesceBytes = std::size_t{16} << 10;

// What a DELTA has beside its segments, as a rule: an id, a key, lengths.
constexpr std::size_t kAroundSegments = 512;
// Most messages beside DELTAs are shorter.
constexpr std::size_t kUsualMessage = 128;

constexpr PriorityMask kBackground =
    kAllPriorities & ~(mask_of(codec::Priority::kControl) | mask_of(codec::Priority::kLive));

bool can_send(const Link& link) {
  return !link.closed && link.channel != nullptr && link.channel->established();
}

std::size_t chunk_bytes(const Context& ctx, const Link& link) {
  return std::min(link.rate.chunk_bytes(), ctx.config.tuning.chunk_bytes);
}

bool has_room(const Link& link) { return link.rate.waiting_bytes() <= link.rate.chunk_bytes(); }

PriorityMask allowed_now(const Context& ctx, const Link& link) {
  const PriorityMask waits = link.background.may_send() ? 0 : kBackground;
  return static_cast<PriorityMask>(ctx.budget.allowed(link.link_class) & ~waits);
}

void hand_over(Context& ctx, Link& link, Bytes chunk) {
  Bytes wire;
  link.channel->seal(std::move(chunk), wire);
  send_wire(ctx, link, std::move(wire));
}

bool is_later(const Context& ctx) { return ctx.config.tuning.wire_version > 1; }

void count_sent(Context& ctx, const codec::Message& message, std::size_t message_bytes) {
  MessageCount& count = count_of(ctx, message.index(), codec::message_name(message));
  ++count.messages_out;
  count.bytes_out += message_bytes + codec::kChunkHeaderBytes;
}

Bytes encode_delta(Context& ctx, Link& link, const QueuedDelta& queued) {
  codec::Message whole = codec::Delta{};
  codec::Delta& delta = std::get<codec::Delta>(whole);
  delta.reconciliation = queued.reconciliation;
  delta.keys = queued.keys;
  std::size_t bytes = kAroundSegments;
  for (const SharedBytes& segment : queued.segments) {
    delta.segments.emplace_back(*segment);
    bytes += segment->size();
  }
  delta.flood = queued.flood;
  delta.last = ends_job(link, queued.job);
  if (planted(Bug::kDropLastSegment) && delta.last) delta.segments.pop_back();
  Bytes message;
  message.reserve(bytes);
  codec::encode_message(whole, message);
  if (is_later(ctx)) codec::add_field(message);
  count_sent(ctx, whole, message.size());
  return message;
}

void begin_next(Context& ctx, Link& link, codec::Priority priority) {
  const std::size_t quantum = std::min(SendQueue::kQuantum, link.rate.chunk_bytes());
  SendQueue::Item item = link.queue.take(priority, quantum);
  if (const QueuedDelta* delta = std::get_if<QueuedDelta>(&item)) {
    link.queue.begin(priority, item, encode_delta(ctx, link, *delta));
  } else {
    Bytes message = std::move(std::get<Bytes>(item));
    link.queue.begin(priority, item, std::move(message));
  }
}

void send_chunk(Context& ctx, Link& link, codec::Priority priority, std::size_t bytes_max) {
  if (!link.queue.has_begun(priority)) begin_next(ctx, link, priority);
  Bytes chunk;
  const std::uint64_t job = link.queue.take_chunk(priority, bytes_max, chunk);
  if ((kBackground & mask_of(priority)) != 0) link.background.sent(chunk.size());
  hand_over(ctx, link, std::move(chunk));
  if (job != 0) delta_left(ctx, link, job);
}

// Whether something of at most so many bytes may go now, with nothing before it and in one chunk.
bool may_pass(const Context& ctx, const Link& link, codec::Priority priority, std::size_t bytes) {
  return link.queue.empty() && has_room(link) && bytes <= chunk_bytes(ctx, link) &&
         (allowed_now(ctx, link) & mask_of(priority)) != 0;
}

void pass(Context& ctx, Link& link, codec::Priority priority, ByteView message) {
  Bytes chunk;
  link.queue.pass(priority, message, chunk);
  if ((kBackground & mask_of(priority)) != 0) link.background.sent(chunk.size());
  hand_over(ctx, link, std::move(chunk));
}

// No less than the DELTA comes to.
std::size_t bound_of(const QueuedDelta& delta) {
  constexpr std::size_t kAround = 64;
  constexpr std::size_t kAroundKey = 64;
  constexpr std::size_t kAroundSegment = 8;
  std::size_t bytes = kAround;
  for (const LogKey& key : delta.keys)
    bytes += kAroundKey + key.topic.size();
  for (const SharedBytes& segment : delta.segments)
    bytes += kAroundSegment + segment->size();
  return bytes;
}

void count_queued(Context& ctx, Link& link) {
  ctx.outbound_bytes += link.queue.bytes();
  ctx.outbound_bytes -= std::exchange(link.queued_counted, link.queue.bytes());
}

// The driver shall say how it goes, if there is something that depends on it.
void ask_for_report(Context& ctx, Link& link) {
  const bool matters = !link.queue.empty() || !has_room(link) || link.admission.mesh_told;
  std::vector<Send>& sends = ctx.out->sends;
  if (!matters || link.report_due) return;
  for (auto send = sends.rbegin(); send != sends.rend(); ++send) {
    if (send->link != link.id) continue;
    send->report = true;
    link.report_due = true;
    return;
  }
}

}  // namespace

void spend(Context& ctx, Link& link, std::size_t bytes) {
  if (!link.dialled && link.phase == Phase::kChannel) {
    link.unspent_bytes += bytes;
  } else {
    ctx.budget.spend(link.link_class, bytes);
  }
}

void send_wire(Context& ctx, Link& link, Bytes wire) {
  if (wire.empty()) return;
  link.bytes_out += wire.size();
  spend(ctx, link, wire.size());
  link.rate.sent(ctx.now, wire.size());
  std::vector<Send>& sends = ctx.out->sends;
  const bool joins = !sends.empty() && sends.back().link == link.id &&
                     sends.back().bytes.size() + wire.size() <= kCoalesceBytes;
  if (joins) {
    append(sends.back().bytes, wire);
  } else {
    sends.push_back({link.id, std::move(wire), false});
  }
}

void send(Context& ctx, Link& link, const codec::Message& message, codec::Priority priority) {
  if (!can_send(link)) return;
  Bytes bytes;
  bytes.reserve(kUsualMessage);
  codec::encode_message(message, bytes);
  if (is_later(ctx)) codec::add_field(bytes);
  count_sent(ctx, message, bytes.size());
  if (may_pass(ctx, link, priority, bytes.size())) {
    pass(ctx, link, priority, bytes);
  } else {
    link.queue.push(priority, to_bytes(bytes));  // no more memory than it has bytes
  }
  pump_output(ctx, link);
  if (messages_exceed_bound(link)) touch(ctx, link);
}

void send_secret(Context& ctx, Link& link, codec::AuthMesh mesh) {
  if (!can_send(link)) return;
  flush_control(ctx, link);
  const codec::Message message = std::move(mesh);
  Bytes bytes;
  bytes.reserve(limits::kGenesisBytes + MeshSecret::kSize + kUsualMessage);
  codec::encode_message(message, bytes);
  if (is_later(ctx)) codec::add_field(bytes);
  count_sent(ctx, message, bytes.size());
  Bytes chunk;
  chunk.reserve(bytes.size() + codec::kChunkHeaderBytes);
  codec::append_chunk(codec::Priority::kControl, bytes, false, chunk);
  erase_bytes(bytes);
  hand_over(ctx, link, std::move(chunk));
  pump_output(ctx, link);
}

bool messages_exceed_bound(const Link& link) {
  return link.queue.bytes(codec::Priority::kControl) > limits::kControlBytes ||
         link.queue.bytes(codec::Priority::kBulk) > limits::kControlBytes;
}

void send_later(Context& ctx, Link& link) {
  if (!can_send(link) || !is_later(ctx)) return;
  link.queue.push(codec::Priority::kControl, codec::later_message());
  pump_output(ctx, link);
}

void send_delta(Context& ctx, Link& link, codec::Priority priority, QueuedDelta delta) {
  if (!can_send(link)) return;
  if (may_pass(ctx, link, priority, bound_of(delta))) {
    pass(ctx, link, priority, encode_delta(ctx, link, delta));
    if (delta.job != 0) delta_left(ctx, link, delta.job);
  } else {
    link.queue.push(priority, std::move(delta));
  }
  pump_output(ctx, link);
}

void pump_output(Context& ctx, Link& link) {
  while (can_send(link) && has_room(link)) {
    const std::optional<codec::Priority> priority = link.queue.next(allowed_now(ctx, link));
    if (!priority) break;
    send_chunk(ctx, link, *priority, chunk_bytes(ctx, link));
  }
  if (!can_send(link)) return;
  count_queued(ctx, link);
  ask_for_report(ctx, link);
  const bool mark_is_out = link.ping_sent.has_value();
  if (link.background.wants_mark() && !mark_is_out) send_ping(ctx, link);
}

void flush_control(Context& ctx, Link& link) {
  if (!can_send(link)) return;
  while (link.queue.next(mask_of(codec::Priority::kControl)))
    send_chunk(ctx, link, codec::Priority::kControl, ctx.config.tuning.chunk_bytes);
}

bool has_backlog_of(const Context& ctx, const Link& link, codec::Priority priority,
                    const LogId& log) {
  if (!has_backlog(ctx, link, priority)) return false;
  const bool crowded = link.queue.bytes(priority) >= limits::kReadAheadBytes ||
                       ctx.outbound_bytes >= limits::kOutboundReadsTotal;
  return crowded || link.queue.waiting_of(log) > 0;
}

bool may_send(const Context& ctx, const Link& link, codec::Priority priority) {
  return (ctx.budget.allowed(link.link_class) & mask_of(priority)) != 0;
}

codec::Priority push_priority(const Context& ctx, const std::string& topic) {
  const auto setting = ctx.config.topics.find(topic);
  const bool late = setting != ctx.config.topics.end() && setting->second == TopicPriority::kLate;
  return late ? codec::Priority::kHistory : codec::Priority::kLive;
}

codec::Priority catch_up_priority(const Context& ctx, const std::string& topic,
                                  codec::Priority priority) {
  const auto setting = ctx.config.topics.find(topic);
  if (setting == ctx.config.topics.end() || setting->second == TopicPriority::kNormal) {
    return priority;
  }
  return setting->second == TopicPriority::kLive ? codec::Priority::kCatchUp
                                                 : codec::Priority::kHistory;
}

void send_ping(Context& ctx, Link& link) {
  link.ping_sent = ctx.now;
  link.background.marked();
  touch(ctx, link);
  send_later(ctx, link);
  send(ctx, link, codec::Ping{++link.ping_nonce, false});
}

bool has_backlog(const Context& ctx, const Link& link, codec::Priority priority) {
  // Without a report to come the driver has a chunk at most, or nothing any more.
  const std::size_t in_driver = link.report_due ? link.rate.waiting_bytes() : 0;
  std::size_t enough = std::clamp<std::size_t>(2 * link.rate.bytes_per_second(),
                                               limits::kChunkBytes, limits::kReadAheadBytes);
  if (ctx.outbound_bytes >= limits::kOutboundReadsTotal) {
    if (priority != codec::Priority::kLive) return true;
    enough = limits::kLiveShareBytes;
    // Who reads has nothing waiting, and pays for nobody else.
    if (ctx.outbound_bytes >= limits::kOutboundLiveTotal) {
      return link.queue.bytes() + in_driver >= limits::kPushBytes;
    }
  }
  // What may not go now, by budget or hour, is not in the way of what may; but it is memory.
  const auto up_to = static_cast<PriorityMask>((mask_of(priority) << 1) - 1);
  const auto before = static_cast<PriorityMask>(up_to & kBackground);
  const bool live = before == 0;
  const std::size_t waiting = live ? link.queue.bytes(priority) : link.queue.bytes(before);
  if (!live && link.queue.bytes(kBackground) >= 2 * limits::kReadAheadBytes) return true;
  return waiting + in_driver >= enough;
}

}  // namespace ebb::mesh
