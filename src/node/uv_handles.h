// RAII over libuv: each object owns one handle on the heap, and gives it back in libuv's close
// callback, where alone that is allowed.
//
// Model:     an object may be destroyed at any time, also inside its own callback; after that it
//            calls back no more. The memory of its callback lives until the close is done.
// Ownership: the loop must outlive the objects, and must run once more after the last of them went
//            so that their memory is freed (Loop's destructor does).
// Threads:   not thread-safe; call on the loop thread. Async::send() alone may be called from any
//            thread and from signal handlers.
// Errors:    uv_error() makes an Error of libuv's codes.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/time.h"

namespace ebb::node {

Error uv_error(int code, std::string_view context, std::string_view detail = {});

class Loop {
 public:
  static Result<std::unique_ptr<Loop>> open();
  // Runs until every handle is closed. Aborts when one is still owned by somebody.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  uv_loop_t* get() { return &loop_; }

 private:
  Loop() = default;
  uv_loop_t loop_{};
  bool opened_ = false;
};

// The memory behind a handle: what libuv's `data` points to.
template <class Handle>
struct HandleBox {
  Handle handle{};
  std::function<void()> callback;
  void* owner = nullptr;  // of streams and sockets, whose callbacks have arguments
  bool open = true;
};

template <class Handle>
struct HandleCloser {
  void operator()(HandleBox<Handle>* box) const {
    box->open = false;
    uv_close(reinterpret_cast<uv_handle_t*>(&box->handle), [](uv_handle_t* handle) noexcept {
      delete static_cast<HandleBox<Handle>*>(handle->data);
    });
  }
};

template <class Handle>
using HandlePtr = std::unique_ptr<HandleBox<Handle>, HandleCloser<Handle>>;

// `init` is the handle's uv_*_init; it must not fail (those used here do not, or the caller asks).
template <class Handle>
HandlePtr<Handle> make_handle(const std::function<int(Handle*)>& init) {
  auto box = std::make_unique<HandleBox<Handle>>();
  box->handle.data = box.get();
  EBB_CHECK(init(&box->handle) == 0);
  return HandlePtr<Handle>(box.release());
}

class Timer {
 public:
  Timer(uv_loop_t* loop, std::function<void()> expired);
  // Once, after `delay` rounded up to a millisecond; replaces an earlier start.
  void start(Duration delay);
  void stop();
  uv_loop_t* loop() const { return box_->handle.loop; }

 private:
  HandlePtr<uv_timer_t> box_;
};

class Async {
 public:
  Async(uv_loop_t* loop, std::function<void()> woken);
  // Several sends may become one call.
  void send() noexcept;

 private:
  HandlePtr<uv_async_t> box_;
};

// Calls back as long as the descriptor is readable; does not own it.
class Poll {
 public:
  static Result<std::unique_ptr<Poll>> start(uv_loop_t* loop, int fd, std::function<void()> ready);

 private:
  explicit Poll(HandlePtr<uv_poll_t> box) : box_(std::move(box)) {}
  HandlePtr<uv_poll_t> box_;
};

// Runs `work` on a thread of libuv's pool, then `done` on the loop. Both are destroyed on the loop.
void run_work(uv_loop_t* loop, std::function<void()> work, std::function<void()> done);

}  // namespace ebb::node
