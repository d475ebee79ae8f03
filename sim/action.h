// Action: something to be done once, later: a callable without arguments that is moved, never
// copied, and that keeps what small ones capture inside itself. std::function would go to the heap
// for nearly every event of a run.
//
// Ownership: owns what the callable captured.
// Threads:   not thread-safe; a value.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "core/check.h"

namespace ebb::sim {

class Action {
 public:
  static constexpr std::size_t kInlineBytes = 56;

  Action() = default;
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, Action>)
      // Stands for the callable, and does not hide the move of another Action.
      Action(F&& callable) {  // NOLINT(*-explicit-constructor,*-forwarding-reference-overload)
    using Callable = std::remove_cvref_t<F>;
    if constexpr (fits<Callable>()) {
      new (bytes_) Callable(std::forward<F>(callable));
      table_ = &kInline<Callable>;
    } else {
      new (bytes_) Callable*(new Callable(std::forward<F>(callable)));
      table_ = &kOnHeap<Callable>;
    }
  }
  Action(Action&& other) noexcept { take(other); }
  Action& operator=(Action&& other) noexcept {
    if (this == &other) return *this;
    drop();
    take(other);
    return *this;
  }
  ~Action() { drop(); }

  void operator()() {
    EBB_CHECK(table_ != nullptr);
    table_->call(bytes_);
  }

 private:
  struct Table {
    void (*call)(void*);
    void (*move)(void* from, void* to);  // leaves nothing behind
    void (*destroy)(void*);
  };

  template <class Callable>
  static constexpr bool fits() {
    return sizeof(Callable) <= kInlineBytes && alignof(Callable) <= alignof(std::max_align_t) &&
           std::is_nothrow_move_constructible_v<Callable>;
  }
  template <class Callable>
  static Callable& at(void* bytes) {
    return *std::launder(static_cast<Callable*>(bytes));
  }
  template <class Callable>
  static constexpr Table kInline = {
      [](void* bytes) { at<Callable>(bytes)(); },
      [](void* from, void* to) {
        new (to) Callable(std::move(at<Callable>(from)));
        at<Callable>(from).~Callable();
      },
      [](void* bytes) { at<Callable>(bytes).~Callable(); },
  };
  template <class Callable>
  static constexpr Table kOnHeap = {
      [](void* bytes) { (*at<Callable*>(bytes))(); },
      [](void* from, void* to) { new (to) Callable*(at<Callable*>(from)); },
      [](void* bytes) { delete at<Callable*>(bytes); },
  };

  void take(Action& other) {
    table_ = std::exchange(other.table_, nullptr);
    if (table_ != nullptr) table_->move(other.bytes_, bytes_);
  }
  void drop() {
    if (table_ != nullptr) std::exchange(table_, nullptr)->destroy(bytes_);
  }

  alignas(std::max_align_t) std::byte bytes_[kInlineBytes];
  const Table* table_ = nullptr;
};

}  // namespace ebb::sim
