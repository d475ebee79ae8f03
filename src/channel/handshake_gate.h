// HandshakeGate: who may begin a handshake with us, for how long, and how much we compute for it.
// It sees no byte of them.
//
// Model:   each stream that is accepted enters and, unless it is refused, is half open until it
//          leaves or its time is over. It is proven once its first message had the right mac; that
//          message can be repeated by whoever has seen one, so proof buys little:
//          - A source holds a few places at once. A source begins so often a second; what is beyond
//            that only gets a place that is free. Proof gives back what beginning has used.
//          - When all places are taken, one that is not proven makes room: one that began beyond
//            its source's rate, or else one of the source that holds most, the oldest first. One
//            that is young makes room only for a source that holds two fewer. Where there is none,
//            the newcomer is refused. A proven one never makes room for one that is not.
//          - Proven ones have three quarters of the places. When it is taken, one of the source
//          that has
//            most of it makes room for a source that has two fewer; else there is no answer.
//          - Answers, which cost Diffie-Hellman results, are counted over all sources. A source
//            that has had its own share gets one only out of the half that is not needed.
// Units:   limits::kHandshakeMs, kHandshakesPerSecond, kHandshakesAtOnce, kHalfOpen,
//          kHalfOpenPerSource, kHalfOpenGraceMs, kHandshakeAnswersPerSecond,
//          kHandshakeAnswersAtOnce.
// Limits:  remembers limits::kHandshakeSources addresses; of more, those forget first what they
//          have used that may soon enter as often as anybody.
// Threads: not thread-safe; owned by who accepts streams.
// Spec:    docs/wire_format.md section 12
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/limits.h"
#include "core/time.h"

namespace ebb::channel {

class HandshakeGate {
 public:
  using Ticket = std::uint64_t;

  struct Entry {
    std::optional<Ticket> ticket;  // nullopt: refused, to be closed without a word
    std::optional<Ticket> ousted;  // has left to make room, to be closed
  };
  // With fewer places a source has at most a quarter of them.
  explicit HandshakeGate(std::size_t places = limits::kHalfOpen)
      : places_(places), per_source_(std::clamp(places / 4, kOne, limits::kHalfOpenPerSource)) {}
  HandshakeGate(HandshakeGate&&) = default;
  HandshakeGate& operator=(HandshakeGate&&) = default;

  // `source` names a host, or a network that counts as one (core network_of), in any spelling that
  // is always the same.
  Entry enter(Instant now, std::string_view source);

  struct Proof {
    bool may_answer = false;       // false: to be closed without a word
    std::optional<Ticket> ousted;  // as above
  };
  // The mac of its first message was right; to be asked before anything is computed for it. Once
  // it has said yes it says so again, at no cost. Of a ticket that has left: no.
  Proof prove(Instant now, Ticket ticket);
  // Done, failed or gone. A ticket that has left already is passed by.
  void leave(Ticket ticket);
  // Those whose time is over, oldest first; they have left.
  std::vector<Ticket> expire(Instant now);
  std::optional<Instant> next_deadline() const;
  std::size_t half_open() const { return open_.size(); }
  std::size_t sources() const { return sources_.size(); }

 private:
  static constexpr std::size_t kOne = 1;
  // What may be used so often a second and so often at once: when all of it will be there again.
  struct Allowance {
    Instant full_at = {INT64_MIN};
    bool has(Instant now, Duration step, std::int64_t at_once) const;
    void use(Instant now, Duration step);
  };
  struct Source {
    Allowance begins;
    Allowance answers;
    std::size_t open = 0;
    std::size_t proven = 0;  // of `open`
  };
  struct HalfOpen {
    Source* source;
    Instant began;
    bool beyond_rate;
    bool proven = false;
  };
  using Open = std::map<Ticket, HalfOpen>;

  Source& source_of(Instant now, std::string_view name);
  void forget_one(Instant now);
  bool may_answer(Instant now, const Source& source) const;
  // Who makes room: for one of `newcomer`, of all sources or of it alone.
  Open::iterator find_unproven(Instant now, const Source& newcomer, bool of_it_alone);
  Open::iterator find_proven(const Source& newcomer);
  Ticket remove(Open::iterator at);

  std::size_t proven_max() const { return places_ - places_ / 4; }

  std::size_t places_;
  std::size_t per_source_;
  // In order of age, as tickets are numbered in it.
  Open open_;
  Ticket next_ticket_ = 1;
  std::size_t proven_ = 0;
  Allowance answers_;
  std::map<std::string, Source, std::less<>> sources_;
};

}  // namespace ebb::channel
