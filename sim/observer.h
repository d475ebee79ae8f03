// Observer: what the checkers get to see of a run while it goes on, and Findings: what they say.
//
// Model:   clients' answers and stores' contents, never an engine's inside: a property that holds
//          only in the engine's own opinion is not checked at all. Who observes overrides what it
//          looks at; troubles nobody may overlook.
// Threads: called on the one thread of the run, or of the host's lane.
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
  virtual void opened(HostIndex, const Storage&) {}
  virtual void committed(HostIndex, const store::CommitResult&) {}
  // With it, records of authorities.
  virtual void kept_records(HostIndex, const std::vector<Bytes>&) {}
  // Its engine was shown that arrivals of its epoch were given before, maybe while a commit that
  // knows nothing of it is under way.
  virtual void epoch_doubted(HostIndex, bool /*is_committing*/) {}
  // A client was told that its batch is stored.
  virtual void acknowledged(HostIndex, const store::AppendBatch&,
                            const std::vector<store::DotRange>&) {}
  // Its peers say what the time is.
  virtual void heard_time(HostIndex, WallTime) {}
  // Its engine sends a datagram; it leaves the host; an engine has opened one.
  virtual void datagram_sent(HostIndex, ByteView) {}
  virtual void datagram_left(ByteView) {}
  virtual void datagram_taken(HostIndex, ByteView) {}
  // Its engine has taken an input, and what came out of it is done.
  virtual void stepped(HostIndex) {}
  // Its engine has ended a link on which an honest peer had owed it an answer for long.
  virtual void given_up(HostIndex) {}
  // Something that no fault explains: a store that fails, an engine that asks for nonsense.
  virtual void trouble(HostIndex host, const std::string& text) = 0;
};

}  // namespace ebb::sim
