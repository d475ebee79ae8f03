// AppendStream: the parts of one stream of a client, of which no part is stored behind one that was
// not.
//
// Model:   copies are the same stream. Whoever refuses a part breaks it off; whoever is about to
//          take one looks.
// Threads: any.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

namespace ebb::node {

class AppendStream {
 public:
  bool broken() const { return *broken_; }
  void break_off() { *broken_ = true; }

 private:
  std::shared_ptr<std::atomic<bool>> broken_ = std::make_shared<std::atomic<bool>>(false);
};

// What an append is a part of.
struct AppendPart {
  // The client's next part is at hand; a commit may wait a moment for it.
  bool more_soon = false;
  std::optional<AppendStream> stream = std::nullopt;

  bool behind_a_break() const { return stream && stream->broken(); }
  void break_off() {
    if (stream) stream->break_off();
  }
};

}  // namespace ebb::node
