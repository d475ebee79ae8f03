// LastWriter: which of two writes counts as the later one.
//
// Model:   ordered by (not suspect, hlc, log, seq): a write whose author doubted its own clock
// loses
//          to every one whose author did not, whatever their times. It decides what a read shows,
//          never what is kept.
// Threads: value; any thread.
#pragma once

#include <compare>

#include "codec/event.h"
#include "core/hlc.h"
#include "core/ids.h"

namespace ebb::state {

struct LastWriter {
  bool trusted = false;  // before the time, so that it is compared first
  Hlc hlc;
  Dot dot;
  auto operator<=>(const LastWriter&) const = default;

  static LastWriter of(const Dot& dot, const codec::EventView& event) {
    return {!event.suspect_time(), event.hlc, dot};
  }
};

}  // namespace ebb::state
