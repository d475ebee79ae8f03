// EBB_CHECK: an invariant of ours that stays on in release. It never judges input: bytes from a
// peer, a user or a disk are answered with an Error, not with an abort.
#pragma once

namespace ebb {

// Prints the expression with its place to stderr and aborts. Any thread.
[[noreturn]] void check_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace ebb

#define EBB_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::ebb::check_failed(#condition, __FILE__, __LINE__))
