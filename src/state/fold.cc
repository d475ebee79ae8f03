#include "state/fold.h"

#include <algorithm>
#include <string>

#include "core/check.h"
#include "core/planted.h"
#include "state/count_view.h"
#include "state/counters.h"
#include "state/heads.h"
#include "state/operation.h"
#include "state/sets.h"

namespace ebb::state {

struct Fold::State {
  State(HashFn hash_fn, const Arguments& given)
      : hash(hash_fn), arguments(given), heads_tree(hash_fn), objects_tree(hash_fn) {}

  HashFn hash;
  Arguments arguments;
  Heads heads;
  Counters counters;
  Sets sets;
  CountView count_view;
  MerkleTree heads_tree;    // up to date after digest()
  MerkleTree objects_tree;  // after digest() and take_dirty(); entries of kinds below kCountCell
  std::uint64_t applied_since_flush = 0;
  bool loading = true;  // until the first event

  void update_objects_tree() {
    counters.update(objects_tree);
    sets.changes().update(objects_tree);
  }
  // True when the event was an operation on a set, which settles the kills of its dot itself.
  bool apply_set_operation(const Dot& dot, std::string_view topic, const codec::EventView& event);
  void apply_operation(const Dot& dot, std::string_view topic, const codec::EventView& event);
};

bool Fold::State::apply_set_operation(const Dot& dot, std::string_view topic,
                                      const codec::EventView& event) {
  const bool add = event.type == kSetAddType;
  if (!add && event.type != kSetRemoveType) return false;
  const auto change = read_set_change(event.payload);
  if (!change) return false;
  const ElementId element{{std::string(topic), std::string(change->name)},
                          std::string(change->element)};
  sets.apply(dot, element, add, change->kills, heads);
  return true;
}

void Fold::State::apply_operation(const Dot& dot, std::string_view topic,
                                  const codec::EventView& event) {
  if (apply_set_operation(dot, topic, event)) return;
  sets.arrive(dot);
  if (event.type != kCounterAddType) return;
  const auto add = read_counter_add(event.payload);
  if (add) counters.add({std::string(topic), std::string(add->name)}, dot.log, add->amount);
}

Fold::Fold(HashFn hash, Arguments arguments) : state_(std::make_unique<State>(hash, arguments)) {}
Fold::~Fold() = default;

Status Fold::load_entry(ByteView key, ByteView value) {
  EBB_CHECK(state_->loading);
  if (key.empty()) return Error{ErrorCode::kCorrupt, "state: empty key"};
  switch (static_cast<EntryKind>(key[0])) {
    case EntryKind::kCounter:
      return state_->counters.load(key, value);
    case EntryKind::kLiveDot:
      return state_->sets.load_live(key, value);
    case EntryKind::kPend:
      return state_->sets.load_pend(key, value);
    case EntryKind::kCountCell:
      return state_->count_view.load(key, value);
  }
  return Error{ErrorCode::kCorrupt, "state: kind of entry"};
}

Status Fold::load_mark(const LogId& log, const Position& position) {
  EBB_CHECK(state_->loading);
  if (position.seq == 0 || state_->heads.applied(log) != 0) {
    return Error{ErrorCode::kCorrupt, "state: mark"};
  }
  state_->heads.advance(log, position);
  return {};
}

Status Fold::check_loaded() const {
  State& state = *state_;
  const auto has_mark = [&state](const LogId& log) { return state.heads.applied(log) > 0; };
  if (!state.counters.all_logs(has_mark)) {
    return Error{ErrorCode::kCorrupt, "state: counter of a log without mark"};
  }
  if (!state.sets.fits(state.heads)) return Error{ErrorCode::kCorrupt, "state: set and mark"};
  // Every event is counted once, so the counts of a log add up to its position.
  std::map<LogId, std::uint64_t> marks;
  for (const auto& [log, position] : applied().positions())
    marks[log] = position.seq;
  if (state.count_view.events_by_log() != marks) {
    return Error{ErrorCode::kCorrupt, "state: counts and mark"};
  }
  return {};
}

ApplyResult Fold::apply(const LogId& log, std::string_view topic, Seq seq, const Hash& chain,
                        const codec::EventView& event) {
  State& state = *state_;
  const Seq applied = state.heads.applied(log);
  if (planted(Bug::kFoldRepeats) && seq == applied) state.apply_operation({log, seq}, topic, event);
  if (seq <= applied) return ApplyResult::kDuplicate;
  if (seq - applied != 1) return ApplyResult::kGap;
  state.loading = false;
  ++state.applied_since_flush;
  state.heads.advance(log, {seq, chain});
  state.count_view.add(log, event);
  const Dot dot{log, seq};
  if (event.type.starts_with("ebb.")) {
    state.apply_operation(dot, topic, event);
  } else {
    state.sets.arrive(dot);
  }
  return ApplyResult::kApplied;
}

const VersionVector& Fold::applied() const { return state_->heads.vector(); }

Hash Fold::digest() {
  State& state = *state_;
  state.heads.update(state.heads_tree);
  state.update_objects_tree();
  Bytes input = to_bytes(as_bytes("ebb-digest-1"));
  append_be64(input, kFoldVersion);
  append(input, state.arguments.base.view());
  append(input, state.heads_tree.root().view());
  append(input, state.arguments.authority.view());
  append_be64(input, state.arguments.configuration.seq);
  append(input, state.arguments.configuration.chain.view());
  append(input, state.objects_tree.root().view());
  return state.hash(input);
}

Hash Fold::view_digest() {
  Bytes input = to_bytes(as_bytes("ebb-view-1"));
  append(input, as_bytes(kCountViewName));
  append(input, state_->count_view.root(state_->hash).view());
  return state_->hash(input);
}

std::vector<Entry> Fold::take_dirty() {
  std::vector<Entry> entries;
  state_->counters.take(entries);
  state_->sets.changes().take(entries);
  state_->count_view.take(entries);
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.key < b.key; });
  state_->applied_since_flush = 0;
  // Here too, because nobody may ever ask for a digest: what waits for the tree names every dot
  // that came or went since.
  state_->update_objects_tree();
  return entries;
}

bool Fold::dirty() const { return state_->applied_since_flush > 0; }

std::uint64_t Fold::applied_since_flush() const { return state_->applied_since_flush; }

std::vector<Dot> Fold::set_live_dots(std::string_view topic, std::string_view name,
                                     std::string_view element) const {
  return state_->sets.live_dots({{std::string(topic), std::string(name)}, std::string(element)});
}

}  // namespace ebb::state
