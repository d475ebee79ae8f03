// A stream of NDJSON on its way into the store.
//
// Model:   lines gather into parts, each for one commit; a part is closed when it is large enough,
//          or when nothing of the stream is on its way (so batching needs no timer). It goes to
//          the store in pieces, so that the store prepares one while the next is read. A body of
//          known length is soon whole: its lines wait for each other, so that a small one costs one
//          sync. Several parts are on their way at once and are acknowledged in their order. A bad
//          line ends the stream: what stands before it is stored and acknowledged first.
// Errors:  answered with the number of the line. When the store fails, lines of later parts that
//          were on their way may be stored without being acknowledged.
// Limits:  kHttpLineBytes, kHttpPartEvents, kHttpPartBytes, kHttpPartsInFlight; the stream is read
//          no faster than the append queue takes it.
// Threads: call on the loop thread.
// Spec:    docs/api.md
#pragma once

#include <memory>
#include <string>

#include "http/request.h"

namespace ebb::http {

std::shared_ptr<BodySink> make_ndjson_append(const RequestPtr& request, std::string topic);

}  // namespace ebb::http
