// Asks the store on a worker and answers a request with what it says.
//
// Threads: call on the loop thread.
#pragma once

#include <memory>
#include <utility>

#include "http/request.h"
#include "store/reader.h"

namespace ebb::http {

// `read` runs on a worker and gives a Result<T>; `tell` runs on the loop with the request and the
// value, unless the client is gone. Errors are answered here.
template <class T, class Read, class Tell>
void ask_store(const RequestPtr& request, bool flush_state, Read read, Tell tell) {
  const auto result = std::make_shared<Result<T>>(Error{});
  request->node().query(
      flush_state,
      [result, read = std::move(read)](const store::Reader& reader) { *result = read(reader); },
      [result, tell = std::move(tell), weak = request->weak_from_this()](const Status& status) {
        const RequestPtr waiting = weak.lock();
        if (!waiting) return;
        if (!status) return waiting->refuse(status.error());
        if (!result->ok()) return waiting->refuse(result->error());
        tell(*waiting, std::move(*result).value());
      });
}

}  // namespace ebb::http
