// Sets: live dots and pend. A live dot is an add or a remove that no applied operation has killed;
// pend holds kills of dots that have not arrived. Inside the state room only.
//
// Model:   pend names no dot that is applied; every live dot is applied. The stored form knows no
//          strategy: add-wins is a way of reading the live dots.
// Threads: not thread-safe; owned by the fold.
// Errors:  load: kCorrupt.
// Spec:    docs/store_format.md section 5
#pragma once

#include <map>
#include <set>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "state/entry_changes.h"
#include "state/entry_key.h"
#include "state/heads.h"

namespace ebb::state {

class Sets {
 public:
  // An operation at `dot`, which `heads` covers already and arrive() has not seen.
  void apply(const Dot& dot, const ElementId& element, bool add, const std::vector<Dot>& kills,
             const Heads& heads);
  // Of every applied event that is no operation on a set: kills that waited for it are settled.
  void arrive(const Dot& dot) {
    if (!pend_.empty()) settle(dot, nullptr);
  }
  Status load_live(ByteView key, ByteView value);
  Status load_pend(ByteView key, ByteView value);
  // Whether what was loaded keeps the rules of the model above.
  bool fits(const Heads& heads) const;

  std::vector<Dot> live_dots(const ElementId& element) const;
  EntryChanges& changes() { return changes_; }

 private:
  void kill(const Dot& dot, const ElementId& element, const Heads& heads);
  // Forgets the kills that waited for `dot`; true when one of them was for `element`.
  bool settle(const Dot& dot, const ElementId* element);

  std::map<ElementId, std::map<Dot, bool>> live_;  // no element without dots
  std::map<Dot, std::set<ElementId>> pend_;        // no dot without elements
  EntryChanges changes_;
};

}  // namespace ebb::state
