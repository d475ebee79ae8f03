// HandshakeGate: who may begin a handshake with us, and for how long. It sees no byte of them.
//
// Model:   each stream that is accepted enters and, unless it is refused, is half open until it
//          leaves or its time is over. A source address enters so often a second, and a few times
//          at once. When all places are taken, one that has not shown its mac makes room, the
//          oldest first, and only then one that has: so who knows no secret keeps nobody out who
//          does.
// Units:   limits::kHandshakeMs, kHandshakesPerSecond, kHandshakesAtOnce, kHalfOpen.
// Limits:  remembers limits::kHandshakeSources addresses; of more, those forget first what they
//          have used that may soon enter as often as anybody.
// Threads: not thread-safe; owned by who accepts streams.
// Spec:    docs/wire_format.md section 12
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace ebb::channel {

class HandshakeGate {
 public:
  using Ticket = std::uint64_t;

  struct Entry {
    std::optional<Ticket> ticket;  // nullopt: refused, to be closed without a word
    std::optional<Ticket> ousted;  // has left to make room, to be closed
  };
  // `source` names a host, or a network that counts as one, in any spelling that is always the
  // same.
  Entry enter(Instant now, std::string_view source);
  // The mac of its first message was right.
  void prove(Ticket ticket);
  // Done, failed or gone. A ticket that has left already is passed by.
  void leave(Ticket ticket) { open_.erase(ticket); }
  // Those whose time is over, oldest first; they have left.
  std::vector<Ticket> expire(Instant now);
  std::optional<Instant> next_deadline() const;
  std::size_t half_open() const { return open_.size(); }
  std::size_t sources() const { return rested_at_.size(); }

 private:
  struct HalfOpen {
    Instant deadline;
    bool proven = false;
  };
  bool take(Instant now, std::string_view source);
  void forget_one(Instant now);
  std::optional<Ticket> make_room();

  // In order of age, as tickets are numbered in it.
  std::map<Ticket, HalfOpen> open_;
  Ticket next_ticket_ = 1;
  // When each source may enter as often as one that never has.
  std::map<std::string, Instant, std::less<>> rested_at_;
};

}  // namespace ebb::channel
