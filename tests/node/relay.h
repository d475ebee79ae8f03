// Relay: stands between two nodes, passes the bytes of their connections on, keeps a copy of them,
// and may flip one byte.
//
// Model:     listens on a port of its own; each connection to it gets one to the target.
// Threads:   runs on one of its own; construct, call and destroy on the test's.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/bytes.h"

namespace ebb::tests {

// As who dialled sees it.
enum class Way { kOut, kBack };

// On the first connection, the byte that so many others went before.
struct Flip {
  Way way = Way::kOut;
  std::size_t at = 0;
};

class Relay {
 public:
  explicit Relay(const std::string& target, std::optional<Flip> flip = {});
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  std::string address() const;
  // All bytes of all connections so far.
  Bytes passed(Way way) const;
  std::size_t connections() const;
  bool flipped() const;

 private:
  struct Pair {
    int near = -1, far = -1;
    std::size_t passed_out = 0, passed_back = 0;
  };
  void main();
  void accept_one();
  // False: the pair is over.
  bool pump(Pair& pair, Way way);

  std::string target_;
  std::optional<Flip> flip_;
  int listener_ = -1;
  int wake_[2] = {-1, -1};
  std::vector<Pair> pairs_;
  mutable std::mutex mutex_;
  Bytes out_, back_;             // under mutex_
  std::size_t connections_ = 0;  // under mutex_
  bool flipped_ = false;         // under mutex_
  std::thread thread_;
};

// Connected to "127.0.0.1:port"; the program stops where that fails.
int connect_to(const std::string& address);

}  // namespace ebb::tests
