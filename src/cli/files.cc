#include "cli/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/print.h"
#include "core/bytes.h"
#include "core/secret.h"
#include "core/unique_fd.h"

namespace ebb::cli {
namespace {

// No secret is larger: none is moved as it grows.
constexpr std::size_t kReadAtOnce = std::size_t{1} << 20;

Failure file_failure(const std::string& what, const std::string& path) {
  return {.what = what + " " + path + ": " + std::strerror(errno)};
}

Outcome<std::string> read_all(int fd, const std::string& path, std::size_t bytes_max,
                              const std::string& next) {
  // It may be a secret: what is not handed on is wiped.
  Secret<4096> part;
  SecretText all;
  all.text.reserve(std::min(bytes_max, kReadAtOnce) + part.kSize);
  while (all.text.size() <= bytes_max) {
    const ssize_t got = read(fd, part.data(), part.kSize);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_failure("cannot read", path);
    if (got == 0) return std::move(all.text);
    append_secret(all.text, as_text(part.view().first(static_cast<std::size_t>(got))));
  }
  return Failure{.what = fmt::format("{} is larger than {}", path, bytes_text(bytes_max)),
                 .next = next};
}

}  // namespace

Outcome<std::string> read_file(const std::string& path, std::size_t bytes_max,
                               const std::string& next) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return file_failure("cannot read", path);
  return read_all(file.get(), path, bytes_max, next);
}

Outcome<std::string> read_input(int fd, std::size_t bytes_max) {
  return read_all(fd, "standard input", bytes_max, "");
}

int place_without_links(const std::string& draft, const std::string& path) {
  // Whoever makes the name owns it; what is renamed over it is then nobody else's.
  UniqueFd guard(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!guard.is_open()) return errno;
  if (rename(draft.c_str(), path.c_str()) == 0) return 0;
  const int code = errno;
  unlink(path.c_str());
  return code;
}

namespace {

// Never replaces what is there.
int place_new(const std::string& draft, const std::string& path) {
  if (link(draft.c_str(), path.c_str()) == 0) return 0;
  const bool no_links = errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK;
  return no_links ? place_without_links(draft, path) : errno;
}

}  // namespace

Outcome<ExitCode> write_secret(const std::string& path, std::string_view text, bool force) {
  std::string draft = path + ".XXXXXX";
  UniqueFd file(mkostemp(draft.data(), O_CLOEXEC));  // with mode 0600
  if (!file.is_open()) return file_failure("cannot write beside", path);
  const int code = write_all(file.get(), text);
  if (code != 0) errno = code;
  bool done = code == 0 && fsync(file.get()) == 0;
  if (done && force) {
    done = rename(draft.c_str(), path.c_str()) == 0;
    if (done) return ExitCode::kOk;
  } else if (done) {
    errno = place_new(draft, path);
    done = errno == 0;
  }
  const int reason = errno;
  unlink(draft.c_str());
  if (done) return ExitCode::kOk;
  if (reason == EEXIST) {
    return Failure{.what = path + " is there already; it was not touched",
                   .next = "choose another name, or replace it with --force"};
  }
  errno = reason;
  return file_failure("cannot write", path);
}

}  // namespace ebb::cli
