#include "sim/log_reader.h"

#include <vector>

#include "codec/segment.h"
#include "core/shared_bytes.h"
#include "trust/chain.h"

namespace ebb::sim {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20;

Error corrupt(const LogId& log, Seq seq, const char* what) {
  return {ErrorCode::kCorrupt, what, dot_text({log, seq})};
}

}  // namespace

Status read_log(const Storage& store, const store::HeadRecord& head, const VisitEvent& visit) {
  Position at{0, trust::chain_start(head.key)};
  while (at.seq < head.held.seq) {
    EBB_ASSIGN(const std::vector<SharedBytes> segments,
               store.read_segments(head.log, at.seq + 1, head.held.seq, kReadBytes));
    if (segments.empty()) return corrupt(head.log, at.seq + 1, "events below the head are gone");
    for (const SharedBytes& encoded : segments) {
      EBB_ASSIGN(const codec::SegmentView segment, codec::decode_segment(*encoded));
      if (segment.first_seq != at.seq + 1) return corrupt(head.log, at.seq + 1, "a gap");
      if (segment.prev_chain != at.chain) return corrupt(head.log, at.seq, "chains do not meet");
      EBB_ASSIGN(const Bytes body, codec::decode_body(segment.codec, segment.body));
      EBB_ASSIGN(const std::vector<codec::BodyEvent> events,
                 codec::split_body(body, segment.count));
      for (const codec::BodyEvent& event : events) {
        at.chain = trust::chain_next(at.chain, trust::event_hash(event.bytes));
        ++at.seq;
        visit({{head.log, at.seq}, head.key, event.bytes, event.event, at.chain});
      }
    }
  }
  if (at != head.held) return corrupt(head.log, at.seq, "the chain does not lead to the head");
  return {};
}

}  // namespace ebb::sim
