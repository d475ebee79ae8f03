// The daemon's own store, without syncs: what a process leaves when it ends is what is in the
// files.
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "core/check.h"
#include "sim/storage.h"
#include "store/store.h"

namespace ebb::sim {
namespace {

namespace fs = std::filesystem;

constexpr int kMergesPerUpkeep = 4;

// The files as a process that ends leaves them. The lock and the shared memory of the write-ahead
// log belong to the process and go with it.
void copy_store(const fs::path& from, const fs::path& to) {
  std::error_code ignored;
  fs::create_directories(to, ignored);
  for (const fs::directory_entry& entry : fs::directory_iterator(from, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name == "lock" || name.ends_with("-shm")) continue;
    fs::copy(entry.path(), to / name, fs::copy_options::overwrite_existing, ignored);
  }
}

class FileStorage : public Storage {
 public:
  explicit FileStorage(std::unique_ptr<store::Store> store) : store_(std::move(store)) {}

  Result<store::CommitResult> commit(const store::CommitBatch& batch) override {
    return store_->commit(batch);
  }
  Result<store::CommitResult> begin_incarnation(codec::OpeningReason reason,
                                                const ClockReading& now) override {
    return store_->begin_incarnation(reason, now);
  }
  void doubt_epoch() override { store_->doubt_epoch(); }
  void hear_peers(std::optional<PeerClock> peers) override { store_->hear_peers(peers); }
  const ClockJudge& clock_judge() const override { return store_->clock_judge(); }
  std::vector<store::HeadRecord> heads() const override { return store_->heads(); }
  StoreEpoch epoch() const override { return store_->epoch(); }
  Incarnation incarnation() const override { return store_->incarnation(); }
  Arrival arrival_head() const override { return store_->arrival_head(); }
  std::vector<store::CursorUpdate> cursors() const override { return store_->cursors(); }
  std::vector<store::PeerRow> peers() const override { return store_->peers(); }
  Result<std::vector<store::PresenceRow>> presences() const override { return store_->presences(); }
  Result<store::AuthorityRows> authority() const override { return store_->authority(); }
  Result<std::vector<SharedBytes>> read_segments(const LogId& log, Seq from, Seq to,
                                                 std::size_t bytes_max) const override {
    return store_->read_segments(log, from, to, bytes_max);
  }
  Hash state_digest() override { return store_->state_digest(); }
  const VersionVector& applied() const override { return store_->applied(); }

  Status upkeep(const ClockReading& now) override {
    EBB_RETURN_IF_ERROR(store_->flush_state(now.monotonic, false));
    for (int i = 0; i < kMergesPerUpkeep; ++i) {
      EBB_ASSIGN(const bool more, store_->merge_step());
      if (!more) break;
    }
    return {};
  }
  // One page is less than any database has: it may not grow.
  Status set_full(bool full) override { return store_->set_page_count_max(full ? 1 : 0); }

 private:
  std::unique_ptr<store::Store> store_;
};

class FileMedium : public StorageMedium {
 public:
  explicit FileMedium(std::string dir) : first_dir_(dir), dir_(std::move(dir)) {}

  Result<std::unique_ptr<Storage>> open(const OpenStorage& how) override {
    std::error_code error;
    fs::create_directories(dir_, error);
    if (error) return Error{ErrorCode::kIo, "directory of a simulated store", error.message()};
    fs::permissions(dir_, fs::perms::owner_all, error);
    store::StoreOptions options;
    options.dir = dir_;
    options.mesh = how.mesh;
    options.durability = store::Durability::kMemory;
    options.random = how.random;
    options.now = how.now;
    options.built = how.built;
    options.scope = how.scope;
    options.quota = how.quota;
    EBB_ASSIGN(auto opened, store::Store::open(options, how.identity));
    return std::unique_ptr<Storage>(std::make_unique<FileStorage>(std::move(opened)));
  }

  // Copied while it is open: closing it would put it in order, which a kill does not.
  void kill(std::unique_ptr<Storage> storage) override { move_to_copy(dir_, std::move(storage)); }
  void back_up(int copy) override { copy_store(dir_, copy_dir(copy)); }
  void restore(int copy) override { move_to_copy(copy_dir(copy), nullptr); }
  void erase() override { move_to_copy(first_dir_ + ".nothing", nullptr); }

 private:
  std::string copy_dir(int copy) const { return first_dir_ + ".copy" + std::to_string(copy); }
  void move_to_copy(const std::string& from, std::unique_ptr<Storage> open) {
    const std::string next = first_dir_ + "." + std::to_string(++moves_);
    copy_store(from, next);
    open.reset();
    std::error_code ignored;
    fs::remove_all(dir_, ignored);
    dir_ = next;
  }

  std::string first_dir_;
  std::string dir_;
  std::uint64_t moves_ = 0;
};

}  // namespace

std::unique_ptr<StorageMedium> make_file_medium(const std::string& dir) {
  return std::make_unique<FileMedium>(dir);
}

}  // namespace ebb::sim
