#include "store/store.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/limits.h"
#include "core/planted.h"
#include "store/meta.h"
#include "store/schema.h"
#include "store/store_parts.h"

namespace ebb::store {

Status StoreParts::open() {
  EBB_ASSIGN(lock, StoreLock::take(options.dir));
  EBB_RETURN_IF_ERROR(open_database());
  EBB_ASSIGN(read_nonce, db->prepare("SELECT value FROM meta WHERE key='boot_nonce'"));
  EBB_ASSIGN(begun, read_identity());
  EBB_RETURN_IF_ERROR(write_identity());
  EBB_RETURN_IF_ERROR(logs.open(*db, true));
  EBB_RETURN_IF_ERROR(segments.open(*db, true));
  EBB_RETURN_IF_ERROR(client_ids.open(*db));
  EBB_RETURN_IF_ERROR(side.open(*db));
  EBB_RETURN_IF_ERROR(authority.open(*db));
  EBB_RETURN_IF_ERROR(presences.open(*db, logs, options.random));
  EBB_RETURN_IF_ERROR(quotas.open(*db));
  EBB_RETURN_IF_ERROR(merge.open(*db, logs));
  start_clock();
  EBB_RETURN_IF_ERROR(fold.open(*db, logs, segments, options.now.monotonic));
  // Only now is the store known to work with what the last migration made of it.
  if (!migrated) remove_old_copies(options.dir, static_cast<std::int64_t>(steps.size()));
  return {};
}

Status StoreParts::open_database() {
  const auto known = static_cast<std::int64_t>(steps.size());
  std::int64_t version = 0;
  auto stored = stored_version(options.dir, known);
  if (stored.ok()) {
    version = *stored;
  } else if (stored.error().code != ErrorCode::kNotFound) {
    return stored.error();
  }
  EBB_ASSIGN(db, Connection::open(database_path(options.dir), Connection::Mode::kReadWrite));
  EBB_RETURN_IF_ERROR(configure_writer(*db, options.durability == Durability::kFull));
  EBB_RETURN_IF_ERROR(set_page_limit(*db, options.page_count_max));
  migrated = version != known;
  return migrate(*db, options.dir, version, steps);
}

Result<bool> StoreParts::read_identity() {
  EBB_ASSIGN(const auto device, get_meta_blob(*db, "device"));
  if (!device) return false;  // new
  EBB_ASSIGN(const auto mesh, get_meta_blob(*db, "mesh"));
  if (!mesh || !equal(*mesh, options.mesh.view())) {
    return Error{ErrorCode::kInvalidArgument, "store belongs to another mesh"};
  }
  if (!equal(*device, identity.device().view())) {
    return Error{ErrorCode::kInvalidArgument, "store belongs to another device"};
  }
  EBB_ASSIGN(const auto stored_incarnation, get_meta_u64(*db, "incarnation"));
  EBB_ASSIGN(const auto stored_epoch, get_meta_u64(*db, "epoch"));
  if (!stored_epoch) return Error{ErrorCode::kCorrupt, "store without epoch"};
  incarnation = stored_incarnation.value_or(0);
  epoch = *stored_epoch;
  return stored_incarnation.has_value();
}

// Stores that were made before there were scopes are of full ones.
Status StoreParts::take_scope() {
  EBB_ASSIGN(const auto stored, get_meta_blob(*db, "scope"));
  const ScopeHash before = stored ? ScopeHash::from(*stored).value_or(ScopeHash{}) : ScopeHash{};
  if (before == options.scope) return {};
  EBB_RETURN_IF_ERROR(put_meta(*db, "scope", options.scope.view()));
  if (planted(Bug::kForgetScope)) return {};
  epoch = options.random();
  EBB_RETURN_IF_ERROR(put_meta(*db, "epoch", epoch));
  return db->run("DELETE FROM cursors");
}

Status StoreParts::write_identity() {
  EBB_CHECK(options.random != nullptr);
  Transaction transaction(*db);
  EBB_RETURN_IF_ERROR(transaction.begin());
  EBB_ASSIGN(const auto device, get_meta_blob(*db, "device"));
  if (!device) {
    epoch = planted(Bug::kForgetEpoch) ? 1 : options.random();
    EBB_RETURN_IF_ERROR(put_meta(*db, "device", identity.device().view()));
    EBB_RETURN_IF_ERROR(put_meta(*db, "mesh", options.mesh.view()));
    EBB_RETURN_IF_ERROR(put_meta(*db, "epoch", epoch));
  }
  EBB_RETURN_IF_ERROR(take_scope());
  boot_nonce = options.random();
  EBB_RETURN_IF_ERROR(put_meta(*db, "boot_nonce", boot_nonce));
  return transaction.commit();
}

HlcClock StoreParts::clock_at(WallTime now, std::optional<Incarnation> ours) const {
  Hlc last;
  for (const LogRow& row : logs.rows()) {
    const LogKey& key = row.head.key;
    if (key.device == identity.device() && key.incarnation == ours) {
      last = std::max(last, row.head.hlc);
    }
  }
  HlcClock out(last);
  for (const LogRow& row : logs.rows()) {
    if (row.head.key.device != identity.device()) out.observe(row.head.hlc, now);
  }
  return out;
}

void StoreParts::start_clock() {
  const LogRow* newest = nullptr;
  for (const LogRow& row : logs.rows()) {
    if (newest == nullptr || row.head.arrival > newest->head.arrival) newest = &row;
    if (row.head.key.device != identity.device()) continue;
    if (row.head.key.incarnation != incarnation) continue;
    if (row.head.key.topic != kControlTopic) topics.insert(row.head.key.topic);
  }
  ClockJudge::Start start;
  start.built = options.built;
  if (newest != nullptr) start.last_commit = newest->wall;
  start.now = options.now.monotonic;
  // Each incarnation of the last day may have been a repair; its control log moved when it began,
  // by its own stamp where it was fetched back later.
  const WallTime time = ClockJudge(start).judge(options.now).time;
  for (const LogRow& row : logs.rows()) {
    const LogKey& key = row.head.key;
    if (key.device != identity.device() || key.topic != kControlTopic) continue;
    const std::int64_t moved = std::min(row.wall.ms, row.head.hlc.wall().ms);
    if (moved <= time.ms && moved > time.ms - limits::kClockRepairDayMs) ++start.repairs;
  }
  judge = ClockJudge(start);
  clock = clock_at(judge.judge(options.now).time, incarnation);
}

Status StoreParts::begin(Transaction& transaction) {
  EBB_RETURN_IF_ERROR(heal());
  EBB_RETURN_IF_ERROR(transaction.begin());
  const ScopedReset reset(read_nonce);
  EBB_ASSIGN(const bool found, read_nonce.step());
  if (!found || read_nonce.column_u64(0) != boot_nonce) {
    return Error{ErrorCode::kBusy, "another process has opened this store"};
  }
  return {};
}

// After a COMMIT that failed, SQLite and memory agree that it never was, but its frames may lie
// whole behind the valid end of the WAL, where a crash would find them. Copying everything before
// them into the database, synced, and emptying the WAL takes them away. No sync that failed is
// believed: all that counts is written anew here, and synced.
Status StoreParts::heal() {
  if (!broken) return {};
  const Status emptied = db->checkpoint(true);
  if (!emptied.ok()) {
    return Error{ErrorCode::kIo, "the disk failed, and the store has not recovered yet",
                 emptied.error().message()};
  }
  broken = false;
  return {};
}

Status StoreParts::finish(Transaction& transaction) {
  Status committed = transaction.commit();
  if (!committed.ok() && committed.error().code == ErrorCode::kIo) broken = true;
  return committed;
}

Status StoreParts::write_state() {
  EBB_RETURN_IF_ERROR(fold.write());
  return put_meta(*db, "fold_version", state::kFoldVersion);
}

Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options,
                                           const trust::Identity& identity) {
  auto impl = std::make_unique<Impl>(options, identity);
  EBB_RETURN_IF_ERROR(impl->open());
  const bool begun = impl->begun;
  auto store = std::unique_ptr<Store>(new Store(std::move(impl)));
  if (begun) return store;
  const auto opened = store->begin_incarnation(codec::OpeningReason::kNew, options.now);
  if (!opened.ok()) return opened.error();
  return store;
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Store::~Store() {
  // Where this fails the next start folds what lies past the mark; nothing is lost.
  const Status flushed = flush_state({}, true);
  static_cast<void>(flushed);
  // SQLite does this when the last connection closes, unless that one is a reader. Where a reader
  // is in the way the WAL stays, and the next start reads it.
  const Status emptied = impl_->db->checkpoint(true);
  static_cast<void>(emptied);
}

void Store::hear_peers(std::optional<PeerClock> peers) { impl_->judge.hear(peers); }
const ClockJudge& Store::clock_judge() const { return impl_->judge; }

Status Store::flush_state(Instant now, bool force) {
  FoldDriver& fold = impl_->fold;
  if (!fold.dirty() || (!force && !fold.due(now))) return {};
  fold.collect();
  Transaction transaction(*impl_->db);
  EBB_RETURN_IF_ERROR(impl_->begin(transaction));
  EBB_RETURN_IF_ERROR(impl_->write_state());
  EBB_RETURN_IF_ERROR(impl_->finish(transaction));
  fold.written(now);
  return {};
}

std::vector<HeadRecord> Store::heads() const {
  std::vector<HeadRecord> out;
  out.reserve(impl_->logs.rows().size());
  for (const LogRow& row : impl_->logs.rows())
    out.push_back(row.head);
  return out;
}

StoreEpoch Store::epoch() const { return impl_->epoch; }
Incarnation Store::incarnation() const { return impl_->incarnation; }
Arrival Store::arrival_head() const { return impl_->logs.arrival_head(); }
std::vector<CursorUpdate> Store::cursors() const { return impl_->side.cursors(); }
std::vector<PeerRow> Store::peers() const { return impl_->side.peers(); }
Result<std::vector<PresenceRow>> Store::presences() const { return impl_->presences.all(); }
std::vector<LinkBudgetRow> Store::link_budgets() const { return impl_->side.link_budgets(); }
Result<AuthorityRows> Store::authority() const { return impl_->authority.all(); }
const std::vector<Error>& Store::fold_damage() const { return impl_->fold.damage(); }
const std::vector<Error>& Store::presence_damage() const { return impl_->presences.damage(); }
Hash Store::state_digest() { return impl_->fold.fold().digest(); }
const VersionVector& Store::applied() const { return impl_->fold.fold().applied(); }

Result<std::vector<SharedBytes>> Store::read_segments(const LogId& log, Seq from, Seq to,
                                                      std::size_t bytes_max) const {
  const LogRow* row = impl_->logs.find(log);
  if (row == nullptr) return Error{ErrorCode::kNotFound, "log", log_text(log)};
  return impl_->segments.read(*row, from, to, bytes_max);
}

Status Store::set_page_count_max(std::uint64_t pages) {
  impl_->options.page_count_max = pages;
  return set_page_limit(*impl_->db, pages);
}

Status Store::checkpoint() { return impl_->db->checkpoint(false); }

}  // namespace ebb::store
