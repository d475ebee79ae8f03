// What libmicrohttpd calls, and how a Request travels over one of its connections.
//
// Model:     an RequestCarrier carries one request: it feeds the body in, suspends the connection
// while
//            the request waits, and sends the answer. libmicrohttpd takes an answer only before or
//            after a body; one that comes in the middle is written to the socket directly, the rest
//            of the body is read and dropped, and the connection then ends.
//            Rationale: a client that streams for hours must hear of its bad line at once.
// Ownership: libmicrohttpd owns each RequestCarrier through its request slot, from on_target() to
//            on_completed(); the set only knows them. The set must outlive the daemon.
// Threads:   call on the loop thread.
#pragma once

#include <microhttpd.h>

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "http/request.h"

namespace ebb::http {

class RequestCarrier;

struct ConnectionSet {
  Context* context = nullptr;
  std::set<RequestCarrier*> carriers = {};
  // Called after a connection was resumed: libmicrohttpd, run from a foreign loop, has no way of
  // its own to say that it has work.
  std::function<void()> on_resumed = {};

  // True while an answer is on its way out.
  bool any_answering() const;
  // Ends those that would go on for ever (BodySource::finish).
  void finish_sources();
  // Lets every suspended connection go, so that the daemon can stop.
  void close_all();
};

// Callbacks of libmicrohttpd; `set` is a ConnectionSet.
void* on_target(void* set, const char* target, MHD_Connection* connection) noexcept;
MHD_Result on_request(void* set, MHD_Connection* connection, const char* url, const char* method,
                      const char* version, const char* data, std::size_t* size,
                      void** slot) noexcept;
void on_completed(void* set, MHD_Connection* connection, void** slot,
                  MHD_RequestTerminationCode code) noexcept;

}  // namespace ebb::http
