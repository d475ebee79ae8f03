// Observer: what the checkers get to see of a run while it goes on, and Findings: what they say.
//
// Model:   clients' answers and stores' contents, never an engine's inside: a property that holds
//          only in the engine's own opinion is not checked at all.
// Threads: called on the one thread of the run.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/options.h"
#include "sim/storage.h"

namespace ebb::sim {

// Violations in the order in which they were found; the first says most.
class Findings {
 public:
  static constexpr std::size_t kKept = 20;  // texts; the rest is only counted

  void add(std::string_view checker, HostIndex host, const std::string& text) {
    ++count_;
    ++by_checker_[std::string(checker)];
    if (texts_.size() == kKept) return;
    texts_.push_back(std::string(checker) + ": host " + std::to_string(host) + ": " + text);
  }
  bool empty() const { return count_ == 0; }
  std::uint64_t count() const { return count_; }
  const std::vector<std::string>& texts() const { return texts_; }
  // How many are whose; who found nothing is not in it.
  const std::map<std::string, std::uint64_t>& by_checker() const { return by_checker_; }

 private:
  std::vector<std::string> texts_;
  std::map<std::string, std::uint64_t> by_checker_;
  std::uint64_t count_ = 0;
};

// The name under which a cluster itself judges.
inline constexpr const char* kLiveness = "liveness";

class Observer {
 public:
  virtual ~Observer() = default;
  // The store is open, at the first start and after every restart.
  virtual void opened(HostIndex host, const Storage& store) = 0;
  virtual void committed(HostIndex host, const store::CommitResult& result) = 0;
  // Its engine was shown that arrivals of its epoch were given before, maybe while a commit that
  // knows nothing of it is under way.
  virtual void epoch_doubted(HostIndex host, bool is_committing) = 0;
  // A client was told that its batch is stored.
  virtual void acknowledged(HostIndex host, const store::AppendBatch& batch,
                            const std::vector<store::DotRange>& ranges) = 0;
  // Its peers say what the time is.
  virtual void heard_time(HostIndex host, WallTime wall) = 0;
  // Its engine is given a datagram; its engine sends one.
  virtual void datagram_in(HostIndex host, const std::string& from, ByteView bytes) = 0;
  virtual void datagram_out(HostIndex host, const std::string& to, ByteView bytes) = 0;
  // Its engine has taken an input, and what came out of it is done.
  virtual void stepped(HostIndex host) = 0;
  // Its engine has ended a link on which an honest peer had owed it an answer for long.
  virtual void given_up(HostIndex host) = 0;
  // Something that no fault explains: a store that fails, an engine that asks for nonsense.
  virtual void trouble(HostIndex host, const std::string& text) = 0;
};

}  // namespace ebb::sim
