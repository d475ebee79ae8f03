#include "node/uv_handles.h"

#include <algorithm>
#include <utility>

#include "core/data_directory.h"

namespace ebb::node {
namespace {

template <class Handle>
void call_back(Handle* handle) noexcept {
  auto* box = static_cast<HandleBox<Handle>*>(handle->data);
  if (box->open) box->callback();
}

struct WorkRequest {
  uv_work_t request{};
  std::function<void()> work, done;
};

ErrorCode code_of(int code) {
  switch (code) {
    case UV_EADDRINUSE:
      return ErrorCode::kBusy;
    case UV_EACCES:
    case UV_EPERM:
      return ErrorCode::kPermission;
    case UV_EAI_NONAME:
    case UV_EAI_NODATA:
    case UV_EADDRNOTAVAIL:
      return ErrorCode::kInvalidArgument;
    default:
      return ErrorCode::kIo;
  }
}

}  // namespace

Error uv_error(int code, std::string_view context, std::string_view detail) {
  std::string text(detail);
  if (!text.empty()) text.append(": ");
  text.append(uv_strerror(code));
  if (code == UV_EMFILE || code == UV_ENFILE) {
    return {ErrorCode::kIo, kTooManyFiles, std::string(context) + ": " + text};
  }
  return {code_of(code), context, text};
}

Result<std::unique_ptr<Loop>> Loop::open() {
  std::unique_ptr<Loop> loop(new Loop);
  if (const int code = uv_loop_init(&loop->loop_); code != 0) return uv_error(code, "event loop");
  loop->opened_ = true;
  return loop;
}

Loop::~Loop() {
  if (!opened_) return;
  uv_run(&loop_, UV_RUN_DEFAULT);
  EBB_CHECK(uv_loop_close(&loop_) == 0);
}

Timer::Timer(uv_loop_t* loop, std::function<void()> expired)
    : box_(make_handle<uv_timer_t>([loop](uv_timer_t* h) { return uv_timer_init(loop, h); })) {
  box_->callback = std::move(expired);
}

void Timer::start(Duration delay) {
  uv_timer_t* handle = &box_->handle;
  // libuv counts from the time it cached when the loop woke, which may be long ago.
  uv_update_time(handle->loop);
  const std::int64_t ms = (std::max<std::int64_t>(delay.us, 0) + 999) / 1000;
  uv_timer_start(handle, call_back<uv_timer_t>, static_cast<std::uint64_t>(ms), 0);
}

void Timer::stop() { uv_timer_stop(&box_->handle); }

Async::Async(uv_loop_t* loop, std::function<void()> woken)
    : box_(make_handle<uv_async_t>(
          [loop](uv_async_t* h) { return uv_async_init(loop, h, call_back<uv_async_t>); })) {
  box_->callback = std::move(woken);
}

void Async::send() noexcept { uv_async_send(&box_->handle); }

Result<std::unique_ptr<Poll>> Poll::start(uv_loop_t* loop, int fd, std::function<void()> ready) {
  auto raw = std::make_unique<HandleBox<uv_poll_t>>();
  raw->handle.data = raw.get();
  if (const int code = uv_poll_init(loop, &raw->handle, fd); code != 0) {
    return uv_error(code, "watch descriptor");
  }
  HandlePtr<uv_poll_t> box(raw.release());
  box->callback = std::move(ready);
  const int code = uv_poll_start(&box->handle, UV_READABLE,
                                 [](uv_poll_t* handle, int, int) noexcept { call_back(handle); });
  if (code != 0) return uv_error(code, "watch descriptor");
  return std::unique_ptr<Poll>(new Poll(std::move(box)));
}

void run_work(uv_loop_t* loop, std::function<void()> work, std::function<void()> done) {
  auto* request = new WorkRequest{{}, std::move(work), std::move(done)};
  request->request.data = request;
  const int code = uv_queue_work(
      loop, &request->request,
      [](uv_work_t* r) noexcept { static_cast<WorkRequest*>(r->data)->work(); },
      [](uv_work_t* r, int) noexcept {
        const std::unique_ptr<WorkRequest> owned(static_cast<WorkRequest*>(r->data));
        owned->done();
      });
  // It fails only without a work function.
  EBB_CHECK(code == 0);
}

}  // namespace ebb::node
