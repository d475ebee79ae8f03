// Router: which handler a method and a path belong to.
//
// Threads: pure functions; handlers run on the loop thread.
// Spec:    docs/api.md
#pragma once

#include <string>

#include "http/request.h"

namespace ebb::http {

using Handler = void (*)(const RequestPtr&);

struct Route {
  Handler handle = nullptr;  // called when the whole body is there; not when a sink took it
  Handler begin = nullptr;   // called before the body: may set a sink or answer
};

// Answers 404 or 405 by itself, with a null handler. Sets the request's name.
Route route(const RequestPtr& request);

}  // namespace ebb::http
