// Network limits: a bare catch-up pipe between two processes, and loopback round trips.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "core/shared_bytes.h"
#include "tools/bench/clicks.h"
#include "tools/bench/measure.h"
#include "trust/chain.h"
#include "trust/hash.h"
#include "trust/identity.h"
#include "trust/segment_verify.h"

namespace ebb::bench {
namespace {

constexpr std::uint32_t kEventsPerSegment = 1000;
constexpr int kSegmentsPerCommit = 10;

void execute(sqlite3* db, const char* sql) {
  require(sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK, sql);
}

sqlite3* open_segments(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"})
    ::unlink((path + suffix).c_str());
  sqlite3* db = nullptr;
  require(sqlite3_open(path.c_str(), &db) == SQLITE_OK, "open");
  execute(db, "PRAGMA journal_mode=WAL");
  execute(db, "PRAGMA synchronous=FULL");
  execute(db, "CREATE TABLE segments(id INTEGER PRIMARY KEY, body BLOB)");
  return db;
}

// What both ends of the pipe know of each other.
struct Author {
  std::unique_ptr<trust::Identity> identity;
  LogKey key;
  LogId log;
};

Author make_author() {
  const Bytes seed(trust::kSeedBytes, 7);
  auto identity = trust::Identity::from_seed(seed);
  require(identity.ok(), "identity");
  Author author{std::move(identity).value(), {}, {}};
  author.key = {author.identity->device(), 1, "clicks"};
  author.log = trust::log_id(author.key);
  return author;
}

// Length-prefixed frames: in chain mode an ebb segment (zstd), in batch mode
// signature || hash || body of bare rows.
Bytes batch_frame(const Author& author, Clicks& clicks) {
  Bytes body;
  for (std::uint32_t i = 0; i < kEventsPerSegment; ++i)
    append_click_row(body, clicks.next());
  const Hash hash = trust::hash(body);
  const Signature signature = author.identity->sign(hash.view());
  Bytes frame = to_bytes(signature.view());
  append(frame, hash.view());
  append(frame, body);
  return frame;
}

bool batch_ok(const Author& author, ByteView frame) {
  const auto signature = Signature::from(frame.first(Signature::kSize));
  const ByteView hash = frame.subspan(Signature::kSize, Hash::kSize);
  const ByteView body = frame.subspan(Signature::kSize + Hash::kSize);
  return equal(trust::hash(body).view(), hash) &&
         trust::verify(author.identity->device(), hash, *signature);
}

class ChainSource {
 public:
  explicit ChainSource(const Author& author)
      : author_(author), chain_(trust::chain_start(author.key)) {}

  Bytes next(Clicks& clicks) {
    Bytes raw;
    trust::SealRequest request{author_.key, author_.log, seq_ + 1, chain_, {}, {}, nullptr, {0}};
    for (std::uint32_t i = 0; i < kEventsPerSegment; ++i) {
      const Click click = clicks.next();
      Bytes payload;
      append_click_row(payload, click);
      codec::EventView event;
      event.hlc = Hlc::at({click.ts_ms});
      event.type = click_type(click);
      event.payload = payload;
      if (i == 0) request.first_hlc = event.hlc;
      request.last_hlc = event.hlc;
      require(codec::encode_event(event, raw).ok(), "encode_event");
      request.offsets.push_back(static_cast<std::uint32_t>(raw.size()));
    }
    request.raw = share(std::move(raw));
    const auto sealed = trust::seal_segment(*author_.identity, std::move(request));
    seq_ = sealed.last_seq();
    chain_ = sealed.chain;
    const auto packed =
        trust::merge_segments(sealed.key, {sealed.encoded}, codec::SegmentCodec::kZstd);
    require(packed.ok(), "merge_segments");
    return *packed->encoded;
  }

 private:
  const Author& author_;
  Seq seq_ = 0;
  Hash chain_;
};

void fill_source(const std::string& path, std::uint64_t events, bool chain) {
  const Author author = make_author();
  sqlite3* db = open_segments(path);
  execute(db, "BEGIN");
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(db, "INSERT INTO segments(body) VALUES (?)", -1, &insert, nullptr);
  Clicks clicks(3);
  ChainSource source(author);
  for (std::uint64_t done = 0; done < events; done += kEventsPerSegment) {
    const Bytes frame = chain ? source.next(clicks) : batch_frame(author, clicks);
    sqlite3_bind_blob(insert, 1, frame.data(), static_cast<int>(frame.size()), nullptr);
    require(sqlite3_step(insert) == SQLITE_DONE, "insert");
    sqlite3_reset(insert);
  }
  sqlite3_finalize(insert);
  execute(db, "COMMIT");
  sqlite3_close(db);
}

void write_all(int socket, const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t sent = ::write(socket, at, size);
    require(sent > 0, "write to the pipe");
    at += sent;
    size -= static_cast<std::size_t>(sent);
  }
}

bool read_all(int socket, void* data, std::size_t size) {
  char* at = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t got = ::read(socket, at, size);
    if (got <= 0) return false;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

int connect_to(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  require(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "connect");
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

struct Listener {
  int socket = -1;
  std::uint16_t port = 0;
};

Listener listen_on_loopback() {
  Listener listener;
  listener.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  require(::bind(listener.socket, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
  require(::listen(listener.socket, 1) == 0, "listen");
  ::getsockname(listener.socket, reinterpret_cast<sockaddr*>(&address), &size);
  listener.port = ntohs(address.sin_port);
  return listener;
}

// The sending process.
void send_segments(const std::string& path, std::uint16_t port) {
  sqlite3* db = nullptr;
  require(sqlite3_open(path.c_str(), &db) == SQLITE_OK, "open source");
  const int socket = connect_to(port);
  sqlite3_stmt* select = nullptr;
  sqlite3_prepare_v2(db, "SELECT body FROM segments ORDER BY id", -1, &select, nullptr);
  while (sqlite3_step(select) == SQLITE_ROW) {
    const auto size = static_cast<std::uint32_t>(sqlite3_column_bytes(select, 0));
    write_all(socket, &size, sizeof size);
    write_all(socket, sqlite3_column_blob(select, 0), size);
  }
  sqlite3_finalize(select);
  sqlite3_close(db);
  ::close(socket);
}

// The receiving process: seconds from the first byte to the last commit.
double receive_segments(const std::string& path, int socket, bool chain) {
  const Author author = make_author();
  sqlite3* db = open_segments(path);
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(db, "INSERT INTO segments(body) VALUES (?)", -1, &insert, nullptr);
  int pending = 0;
  std::uint32_t size = 0;
  std::optional<Stopwatch> watch;
  while (read_all(socket, &size, sizeof size)) {
    if (!watch) watch.emplace();
    Bytes frame(size);
    require(read_all(socket, frame.data(), size), "frame");
    const SharedBytes shared = share(std::move(frame));
    require(chain ? trust::verify_segment(author.key, shared).ok() : batch_ok(author, *shared),
            "verify");
    if (pending == 0) execute(db, "BEGIN IMMEDIATE");
    sqlite3_bind_blob(insert, 1, shared->data(), static_cast<int>(shared->size()), nullptr);
    require(sqlite3_step(insert) == SQLITE_DONE, "insert");
    sqlite3_reset(insert);
    if (++pending == kSegmentsPerCommit) execute(db, "COMMIT");
    pending %= kSegmentsPerCommit;
  }
  if (pending > 0) execute(db, "COMMIT");
  const double seconds = watch ? watch->seconds() : 0;
  sqlite3_finalize(insert);
  sqlite3_close(db);
  return seconds;
}

}  // namespace

int limit_pipe(const std::string& dir, std::uint64_t events, bool chain) {
  require(trust::crypto_ready().ok(), "libsodium");
  const std::string source = dir + "/pipe-a.db";
  const std::string target = dir + "/pipe-b.db";
  fill_source(source, events, chain);
  std::vector<double> rates;
  for (int repetition = 0; repetition < 3; ++repetition) {
    const Listener listener = listen_on_loopback();
    const pid_t sender = ::fork();
    require(sender >= 0, "fork");
    if (sender == 0) {
      send_segments(source, listener.port);
      ::_exit(0);
    }
    const int socket = ::accept(listener.socket, nullptr, nullptr);
    require(socket >= 0, "accept");
    rates.push_back(static_cast<double>(events) / receive_segments(target, socket, chain));
    ::close(socket);
    ::close(listener.socket);
    ::waitpid(sender, nullptr, 0);
  }
  for (const std::string& path : {source, target}) {
    for (const char* suffix : {"", "-wal", "-shm"})
      ::unlink((path + suffix).c_str());
  }
  std::printf("{\"events_per_second\": %.0f, \"low\": %.0f, \"high\": %.0f}\n",
              percentile(rates, 0.5), percentile(rates, 0), percentile(rates, 1));
  return 0;
}

int limit_roundtrip() {
  constexpr int kRounds = 20000;
  const Listener listener = listen_on_loopback();
  std::thread echo([&listener] {
    const int socket = ::accept(listener.socket, nullptr, nullptr);
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    char block[64];
    while (read_all(socket, block, sizeof block))
      write_all(socket, block, sizeof block);
    ::close(socket);
  });
  const int socket = connect_to(listener.port);
  char block[64] = {};
  std::vector<double> each;
  for (int i = 0; i < kRounds; ++i) {
    const Stopwatch one;
    write_all(socket, block, sizeof block);
    require(read_all(socket, block, sizeof block), "echo");
    each.push_back(one.seconds());
  }
  ::close(socket);
  echo.join();
  ::close(listener.socket);
  std::printf("{\"p50_ms\": %.4f, \"p99_ms\": %.4f}\n", 1e3 * percentile(each, 0.5),
              1e3 * percentile(each, 0.99));
  return 0;
}

}  // namespace ebb::bench
