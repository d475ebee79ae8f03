// Children: work done in processes of its own, so many at a time: a crash ends one piece of work
// and not the program, and cores are shared without sharing memory.
//
// Model:     each task is a number and a function that returns a text; the child writes it to a
//            pipe, with what it said on stderr, and the parent hands both over when it has ended.
//            A child ends when its parent does.
// Ownership: owns the processes; those that still run are killed and reaped with the object.
// Threads:   call on a thread of a process that has no other.
// Errors:    start: kIo when there is no pipe or process to be had; no state changed.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"

namespace ebb::sim_tool {

// How one ended.
struct ChildResult {
  std::uint64_t task = 0;
  std::string answer;  // what its function returned; of one that crashed: what it got to
  std::string said;    // on stderr
  int signal = 0;      // that ended it; 0: none
  int exit_code = 0;

  bool crashed() const { return signal != 0 || exit_code != 0; }
};

class Children {
 public:
  Children() = default;
  ~Children();
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  std::size_t running() const { return children_.size(); }
  Status start(std::uint64_t task, const std::function<std::string()>& work);
  // Waits until one has ended; nullopt when none runs.
  std::optional<ChildResult> next();

 private:
  struct Child {
    pid_t pid = 0;
    int answer_fd = -1;
    int said_fd = -1;
    ChildResult result;
  };
  // False when the other end is closed; the descriptor is then closed and -1.
  static void read_some(int& fd, std::string& into);
  static void reap(Child& child);

  std::vector<Child> children_;
};

// One piece of work in a process of its own.
Result<ChildResult> run_child(const std::function<std::string()>& work);

}  // namespace ebb::sim_tool
