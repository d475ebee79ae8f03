// Sends one batch to the store and answers a request with what came of it.
//
// Threads: call on the loop thread.
#pragma once

#include "http/request.h"
#include "store/types.h"

namespace ebb::http {

void append_and_answer(const RequestPtr& request, store::AppendBatch batch);

}  // namespace ebb::http
