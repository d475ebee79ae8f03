// Wire parts: what messages and datagrams are both made of, as they are read.
//
// Errors:  stick in the reader, which is looked at once, at the end.
// Threads: pure functions; any thread.
// Limits:  lists by the number that is given; nothing is reserved by a count that was received.
// Spec:    docs/wire_format.md sections 7 and 8
#pragma once

#include <cstddef>
#include <vector>

#include "codec/message.h"
#include "codec/tape.h"
#include "core/limits.h"

namespace ebb::codec {

// A list of at most `elements_max`, each read by `read`. Nothing is reserved by the count: an
// element in memory is much larger than the least bytes that stand for one.
template <class Element, class Read>
std::vector<Element> read_list(TapeReader& reader, std::size_t elements_max, const Read& read) {
  const auto array = reader.enter_list(elements_max);
  std::vector<Element> elements;
  for (std::size_t i = 0; i < array.size && reader.ok(); ++i)
    elements.push_back(read(reader));
  reader.leave(array);
  return elements;
}

inline LogKey read_log_key(TapeReader& reader) {
  const auto fields = reader.enter(3);
  LogKey key;
  key.device = reader.fixed<DeviceId>();
  key.incarnation = reader.uint();
  key.topic = reader.str(limits::kTopicBytes);
  if (!is_valid_topic(key.topic)) reader.fail(ErrorCode::kMalformed);
  reader.leave(fields);
  return key;
}

inline Cursor read_cursor(TapeReader& reader) {
  const auto fields = reader.enter(2);
  Cursor cursor;
  cursor.epoch = reader.uint();
  cursor.arrival = reader.uint();
  reader.leave(fields);
  return cursor;
}

inline LogSeq read_log_seq(TapeReader& reader) {
  const auto fields = reader.enter(2);
  LogSeq log;
  log.log = reader.fixed<LogId>();
  log.seq = reader.uint();
  reader.leave(fields);
  return log;
}

}  // namespace ebb::codec
