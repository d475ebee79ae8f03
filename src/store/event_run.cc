#include "store/event_run.h"

#include "codec/body_reader.h"
#include "store/damage.h"
#include "trust/chain.h"

namespace ebb::store {

Hash chain_inside(const trust::VerifiedSegment& segment, Seq seq) {
  if (seq == segment.last_seq()) return segment.chain;
  Hash chain = segment.prev_chain;
  for (std::uint32_t i = 0; segment.first_seq + i <= seq; ++i) {
    chain = trust::chain_next(chain, trust::event_hash(segment.event_bytes(i)));
  }
  return chain;
}

Result<DecodedRun> decode_run(const trust::VerifiedSegment& segment, Seq to) {
  DecodedRun out;
  out.run.log = segment.log;
  out.run.first_seq = segment.first_seq;
  out.run.raw = segment.raw;
  out.run.events.reserve(to + 1 - segment.first_seq);
  ZoneMapBuilder zone;
  bool stopped = false;
  codec::BodyReader reader(*segment.raw);
  for (Seq seq = segment.first_seq; seq <= to; ++seq) {
    EBB_ASSIGN(const codec::BodyReader::Next next, reader.next());
    if (next.fault) return Error{ErrorCode::kCorrupt, "event that was verified is not valid"};
    out.last_hlc = next.event.hlc;
    count_event(out.days, next.event.hlc, next.bytes.size());
    if (next.newer_format) {
      stopped = true;
      zone.add_unknown();
      continue;
    }
    zone.add(next.event);
    if (!stopped) out.run.events.push_back(next.event);
  }
  out.zone = zone.finish();
  out.run.end_chain = chain_inside(segment, out.run.end_seq());
  return out;
}

Result<EventRun> decode_stored_run(const StoredBody& body, Seq from, Seq to,
                                   const Hash& end_chain) {
  EventRun run;
  run.log = body.log;
  run.first_seq = from;
  run.raw = body.raw;
  codec::BodyReader reader(*body.raw);
  std::vector<ByteView> before;
  for (Seq seq = body.first_seq; seq <= to; ++seq) {
    if (reader.at_end()) return Error{ErrorCode::kCorrupt, "stored body is too short"};
    EBB_ASSIGN(const codec::BodyReader::Next next,
               or_damage(reader.next(), body.log, body.first_seq));
    if (next.fault) return damage(*next.fault, body.log, body.first_seq);
    if (next.newer_format) {
      run.end_chain = body.prev_chain;
      for (const ByteView bytes : before) {
        run.end_chain = trust::chain_next(run.end_chain, trust::event_hash(bytes));
      }
      return run;
    }
    before.push_back(next.bytes);
    if (seq >= from) run.events.push_back(next.event);
  }
  run.end_chain = end_chain;
  return run;
}

}  // namespace ebb::store
