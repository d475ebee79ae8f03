// CopiedSecret: a Secret, or none, of a value that is copied as a whole, as a configuration is.
//
// Ownership: each copy has a secret of its own, and wipes it when it goes. What is no such value
//            has a Secret, which says where it is copied.
// Threads:   values; any thread.
#pragma once

#include <optional>
#include <utility>

namespace ebb {

template <class S>
class CopiedSecret {
 public:
  CopiedSecret() = default;
  CopiedSecret(S secret) : secret_(std::move(secret)) {}  // NOLINT(*explicit*)
  CopiedSecret(const CopiedSecret& other) : secret_(other.copy()) {}
  CopiedSecret& operator=(const CopiedSecret& other) {
    secret_ = other.copy();
    return *this;
  }
  CopiedSecret(CopiedSecret&& other) noexcept : secret_(std::exchange(other.secret_, {})) {}
  CopiedSecret& operator=(CopiedSecret&& other) noexcept {
    secret_ = std::exchange(other.secret_, {});
    return *this;
  }
  ~CopiedSecret() = default;

  std::optional<S> copy() const {
    return secret_ ? std::optional<S>(secret_->copy()) : std::nullopt;
  }

 private:
  std::optional<S> secret_;
};

}  // namespace ebb
