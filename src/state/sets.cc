#include "state/sets.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/planted.h"

namespace ebb::state {

void Sets::apply(const Dot& dot, const ElementId& element, bool add, const std::vector<Dot>& kills,
                 const Heads& heads) {
  EBB_CHECK(heads.covers(dot));
  for (const Dot& killed : kills)
    kill(killed, element, heads);
  if (settle(dot, &element)) return;
  live_[element].emplace(dot, add);
  changes_.note(dot_key(EntryKind::kLiveDot, element, dot), polarity_value(add));
}

void Sets::kill(const Dot& dot, const ElementId& element, const Heads& heads) {
  if (!heads.covers(dot)) {
    if (planted(Bug::kForgetEarlyKills)) return;
    if (!pend_[dot].insert(element).second) return;
    changes_.note(dot_key(EntryKind::kPend, element, dot), Bytes{});
    return;
  }
  const auto found = live_.find(element);
  if (found == live_.end() || found->second.erase(dot) == 0) return;
  if (found->second.empty()) live_.erase(found);
  changes_.note(dot_key(EntryKind::kLiveDot, element, dot), std::nullopt);
}

bool Sets::settle(const Dot& dot, const ElementId* element) {
  const auto waiting = pend_.find(dot);
  if (waiting == pend_.end()) return false;
  const bool matched = element != nullptr && waiting->second.contains(*element);
  for (const ElementId& each : waiting->second) {
    changes_.note(dot_key(EntryKind::kPend, each, dot), std::nullopt);
  }
  pend_.erase(waiting);
  return matched;
}

Status Sets::load_live(ByteView key, ByteView value) {
  EBB_ASSIGN(DotKey parsed, parse_dot_key(EntryKind::kLiveDot, key));
  EBB_ASSIGN(const bool add, parse_polarity(value));
  if (!live_[std::move(parsed.element)].emplace(parsed.dot, add).second) {
    return Error{ErrorCode::kCorrupt, "state: live dot twice"};
  }
  changes_.note_loaded(to_bytes(key), to_bytes(value));
  return {};
}

Status Sets::load_pend(ByteView key, ByteView value) {
  EBB_ASSIGN(DotKey parsed, parse_dot_key(EntryKind::kPend, key));
  if (!value.empty() || !pend_[parsed.dot].insert(std::move(parsed.element)).second) {
    return Error{ErrorCode::kCorrupt, "state: pend"};
  }
  changes_.note_loaded(to_bytes(key), {});
  return {};
}

bool Sets::fits(const Heads& heads) const {
  for (const auto& [element, dots] : live_) {
    for (const auto& [dot, add] : dots) {
      if (!heads.covers(dot)) return false;
    }
  }
  return std::none_of(pend_.begin(), pend_.end(),
                      [&heads](const auto& waiting) { return heads.covers(waiting.first); });
}

std::vector<Dot> Sets::live_dots(const ElementId& element) const {
  std::vector<Dot> dots;
  const auto found = live_.find(element);
  if (found == live_.end()) return dots;
  for (const auto& [dot, add] : found->second)
    dots.push_back(dot);
  return dots;
}

}  // namespace ebb::state
