#include "http/listen_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/unique_fd.h"

namespace ebb::http {
namespace {

constexpr int kBacklog = 64;
constexpr std::string_view kWhat = "local API: socket";

Error failed(std::string_view what, const std::string& path) {
  const int code = errno;
  return Error{code == EACCES || code == EPERM ? ErrorCode::kPermission : ErrorCode::kIo, what,
               path + ": " + std::strerror(code)};
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

bool somebody_answers(const sockaddr_un& address) {
  const UniqueFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return probe.get() >= 0 &&
         connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// A socket file left by a process that is gone; never any other file.
Status remove_dead(const std::string& bound, const std::string& path) {
  struct stat info {};
  if (lstat(bound.c_str(), &info) != 0) {
    return errno == ENOENT ? Status{} : failed(kWhat, path);
  }
  if (!S_ISSOCK(info.st_mode)) {
    return Error{ErrorCode::kExists, kWhat, path + " is there and is no socket"};
  }
  return unlink(bound.c_str()) == 0 ? Status{} : failed(kWhat, path);
}

}  // namespace

Result<ListenSocket> ListenSocket::open(const std::string& path) {
  // sun_path holds 107 bytes, and data directories may lie deeper: those are reached through an
  // open descriptor of the directory.
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string file = slash == std::string::npos ? path : path.substr(slash + 1);
  const UniqueFd directory(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0) return failed(kWhat, path);
  std::string bound = path;
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    bound = "/proc/self/fd/" + std::to_string(directory.get()) + "/" + file;
  }
  if (bound.size() >= sizeof(sockaddr_un::sun_path)) {
    return Error{ErrorCode::kInvalidArgument, kWhat, "the name is too long: " + file};
  }
  const sockaddr_un address = address_of(bound);
  if (somebody_answers(address)) {
    return Error{ErrorCode::kExists, "local API: a node answers already", path};
  }
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return failed(kWhat, path);
  EBB_RETURN_IF_ERROR(remove_dead(bound, path));
  // On Linux the file takes its mode from the descriptor, so there is no moment at which the umask
  // decides; the second call is for systems where it does not.
  fchmod(fd.get(), 0600);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return failed(kWhat, path);
  }
  if (fchmodat(directory.get(), file.c_str(), 0600, 0) != 0 || listen(fd.get(), kBacklog) != 0) {
    return failed(kWhat, path);
  }
  return ListenSocket(fd.release(), path);
}

ListenSocket::ListenSocket(ListenSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::exchange(other.path_, {})) {}

ListenSocket::~ListenSocket() {
  if (fd_ >= 0) close(fd_);
  if (!path_.empty()) unlink(path_.c_str());
}

}  // namespace ebb::http
