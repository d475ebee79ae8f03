// Resolver: from "host:port" to an address that may be used: loopback only, for now.
//
// Model:     addresses are answered at once, inside resolve(); names later, by the system's
//            resolver on a thread of libuv's pool.
// Ownership: what is in flight when the Resolver goes is never answered.
// Threads:   not thread-safe; call on the loop thread.
// Errors:    kInvalidArgument (form, unknown name), kPermission (not loopback), kIo.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/result.h"
#include "node/address.h"
#include "node/uv_handles.h"

namespace ebb::node {

class Resolver {
 public:
  explicit Resolver(uv_loop_t* loop) : loop_(loop) {}
  ~Resolver() { *alive_ = false; }
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  using Done = std::function<void(Result<Endpoint>)>;
  void resolve(const std::string& address, Done done);
  // Waits for the answer: for the start, before there is anything to hold up.
  static Result<Endpoint> resolve_now(uv_loop_t* loop, const std::string& address);

 private:
  uv_loop_t* loop_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ebb::node
