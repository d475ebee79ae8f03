// Resolver: from "host:port" to an address that may be used: loopback only, for now.
//
// Model:     addresses are answered at once, inside the call. A name is looked up by the system, on
//            a thread of its own that nobody waits for, once at a time whoever asks; the answer is
//            kept for a while. Rationale: the system's resolver cannot be told to stop, and may
//            take a minute; a loop that owed it an answer could not end.
// Ownership: what is being looked up when the Resolver goes is never answered.
// Threads:   not thread-safe; call on the loop thread.
// Errors:    kInvalidArgument (form, unknown name), kBusy (too many
//            names), kIo.
// Limits:    kLookupsAtOnce threads, kNamesKept names.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "node/address.h"
#include "node/uv_handles.h"

namespace ebb::node {

class Resolver {
 public:
  // All addresses of a host, in the system's order. Called on any thread; may take long.
  using Lookup = std::function<Result<std::vector<Endpoint>>(const std::string& host)>;
  static Result<std::vector<Endpoint>> system_lookup(const std::string& host);

  explicit Resolver(uv_loop_t* loop, Lookup lookup = system_lookup);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  using Done = std::function<void(Result<Endpoint>)>;
  void resolve(const std::string& address, Done done);
  // What is known now; a name that is not is looked up for the next time.
  std::optional<Endpoint> known(const std::string& address);
  // Waits for the answer: for the start, before there is anything to hold up.
  static Result<Endpoint> resolve_now(const std::string& address);

 private:
  using Found = Result<std::vector<Endpoint>>;
  struct Waiting {
    std::string address;
    std::uint16_t port;
    Done done;
  };
  struct Name {
    bool asked = false;  // being looked up, or about to be
    std::optional<Found> found;
    Instant fresh_until;
    std::vector<Waiting> waiting;
  };
  // Shared with the threads, which may outlive the Resolver.
  struct Mailbox;

  // Null when there is no room.
  Name* name_of(const std::string& host);
  void ask(const std::string& host, Name& name);
  void start_lookups();
  void take_answers();
  void take_answer(const std::string& host, const Found& found);

  Lookup lookup_;
  std::map<std::string, Name> names_;
  std::deque<std::string> queue_;  // asked, and no thread yet
  std::size_t running_ = 0;
  Async answered_;
  std::shared_ptr<Mailbox> mailbox_;
};

}  // namespace ebb::node
