// The stores of a wide mesh: segments are kept once for all, and how far each node holds each log.
#include <algorithm>
#include <utility>

#include "codec/event.h"
#include "codec/record.h"
#include "codec/value.h"
#include "core/check.h"
#include "tools/bench/wide_mesh.h"
#include "trust/chain.h"
#include "trust/hash.h"

namespace ebb::bench {
namespace {

constexpr std::size_t kAroundPayload = 166;  // an event and a segment around a short payload

// What the author of a segment of one record says of where it is.
std::optional<mesh::HeldPresence> presence_in(const trust::VerifiedSegment& segment) {
  if (segment.key.topic != kControlTopic) return std::nullopt;
  const auto event = codec::decode_event(segment.event_bytes(0));
  EBB_CHECK(event.ok());
  if (event->type != codec::kPresenceType) return std::nullopt;
  auto said = codec::decode_presence(event->payload);
  EBB_CHECK(said.ok());
  return mesh::HeldPresence{segment.key.device, event->hlc, *std::move(said)};
}

}  // namespace

mesh::StoredHead WideMesh::stored_head(const Log& log, const trust::VerifiedSegment& segment,
                                       Arrival arrival) const {
  mesh::StoredHead head;
  head.key = log.key;
  head.log = segment.log;
  head.held = {segment.last_seq(), segment.chain};
  head.hlc = segment.head.hlc;
  head.signature = segment.head.signature;
  head.arrival = arrival;
  return head;
}

mesh::Committed WideMesh::commit(NodeIndex index, const mesh::Commit& commit) {
  Node& node = nodes_[index];
  mesh::Committed answer;
  answer.token = commit.token;
  std::map<LogId, const trust::VerifiedSegment*> moved;
  for (const trust::VerifiedSegment& segment : commit.segments) {
    Held& held = node.held[segment.log];
    if (segment.last_seq() <= held.position.seq) {
      answer.outcomes.push_back(mesh::CommitOutcome::kDuplicate);
    } else if (segment.first_seq != held.position.seq + 1) {
      answer.outcomes.push_back(mesh::CommitOutcome::kGap);
    } else {
      held.position = {segment.last_seq(), segment.chain};
      held.arrival = ++node.arrival;
      moved[segment.log] = &segment;
      answer.outcomes.push_back(mesh::CommitOutcome::kStored);
      note_delivery(index, segment.log, segment.last_seq());
      if (auto presence = presence_in(segment)) answer.presences.push_back(std::move(*presence));
    }
  }
  for (const auto& [log, segment] : moved)
    answer.advanced.push_back(stored_head(logs_.at(log), *segment, node.held[log].arrival));
  answer.arrival_head = node.arrival;
  return answer;
}

mesh::ReadDone WideMesh::read(NodeIndex index, const mesh::Read& read) {
  mesh::ReadDone done;
  done.token = read.token;
  const Seq held = nodes_[index].held[read.log].position.seq;
  std::size_t bytes = 0;
  for (const trust::VerifiedSegment& segment : logs_.at(read.log).segments) {
    if (segment.first_seq < read.from || segment.last_seq() > std::min(held, read.to)) continue;
    if (bytes > 0 && bytes + segment.encoded->size() > read.bytes_max) break;
    bytes += segment.encoded->size();
    done.segments.push_back(segment.encoded);
  }
  return done;
}

mesh::Committed WideMesh::store_own(NodeIndex author, std::string_view topic, std::string_view type,
                                    ByteView payload) {
  Node& node = nodes_[author];
  trust::SealRequest request;
  request.key = {node.identity->device(), 1, std::string(topic)};
  request.log = trust::log_id(request.key);
  Log& log = logs_[request.log];
  log.key = request.key;
  log.author = author;
  Held& held = node.held[request.log];
  if (held.position.seq == 0) held.position.chain = trust::chain_start(request.key);
  request.first_seq = held.position.seq + 1;
  request.prev_chain = held.position.chain;
  const Hlc hlc = Hlc::at(wall(), static_cast<std::uint16_t>(request.first_seq));
  request.first_hlc = request.last_hlc = hlc;
  codec::EventView event;
  event.hlc = hlc;
  event.type = type;
  event.payload = payload;
  Bytes raw;
  EBB_CHECK(codec::encode_event(event, raw).ok());
  request.offsets = {0, static_cast<std::uint32_t>(raw.size())};
  request.raw = share(std::move(raw));
  log.segments.push_back(trust::seal_segment(*node.identity, std::move(request)));
  const trust::VerifiedSegment& segment = log.segments.back();
  held.position = {segment.last_seq(), segment.chain};
  held.arrival = ++node.arrival;
  mesh::Committed news;
  news.advanced.push_back(stored_head(log, segment, held.arrival));
  news.own_segments.push_back(segment);
  news.arrival_head = node.arrival;
  if (auto presence = presence_in(segment)) news.presences.push_back(std::move(*presence));
  return news;
}

void WideMesh::append(NodeIndex author, std::string_view topic, std::size_t bytes) {
  Bytes payload;
  codec::Writer(payload).str(std::string(bytes - std::min(bytes, kAroundPayload), 'x'));
  mesh::Committed news = store_own(author, topic, "bench", payload);
  const trust::VerifiedSegment& segment = news.own_segments.front();
  segment_bytes_ = segment.encoded->size();
  delivery_of_[{segment.log, segment.last_seq()}] = deliveries_.size();
  deliveries_.push_back({segment.log, segment.last_seq(), now_, {}});
  step(author, std::move(news));
}

void WideMesh::note_delivery(NodeIndex, const LogId& log, Seq seq) {
  const auto it = delivery_of_.find({log, seq});
  if (it == delivery_of_.end() || it->second >= deliveries_.size()) return;
  Delivery& delivery = deliveries_[it->second];
  if (delivery.log != log || delivery.seq != seq) return;  // forgotten meanwhile
  delivery.delays_us.push_back(static_cast<std::uint32_t>((now_ - delivery.appended).us));
}

std::size_t WideMesh::lacking() const {
  std::size_t count = 0;
  for (const Node& node : nodes_) {
    if (node.engine == nullptr) continue;
    count += std::any_of(logs_.begin(), logs_.end(), [&](const auto& entry) {
      const auto& [id, log] = entry;
      if (nodes_[log.author].engine == nullptr) return false;
      const auto held = node.held.find(id);
      return held == node.held.end() || held->second.position.seq < log.segments.back().last_seq();
    });
  }
  return count;
}

}  // namespace ebb::bench
