#include "node/resolver.h"

#include <netdb.h>

#include <algorithm>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "core/limits.h"
#include "node/clocks.h"

namespace ebb::node {
namespace {

constexpr std::string_view kLookup = "cannot look up";
constexpr Duration kKept = seconds(30);
constexpr Duration kFailureKept = seconds(5);

// The first of the addresses that a name stands for.
Result<Endpoint> choose(const Result<std::vector<Endpoint>>& found, const std::string& address,
                        std::uint16_t port) {
  if (!found.ok()) return Error{found.error().code, kLookup, address + ": " + found.error().detail};
  if (found->empty()) {
    return Error{ErrorCode::kInvalidArgument, kLookup, address + " has no address"};
  }
  Endpoint chosen = found->front();
  chosen.set_port(port);
  return chosen;
}

}  // namespace

struct Resolver::Mailbox {
  std::mutex mutex;
  // Under mutex:
  Async* wake = nullptr;  // null: the Resolver is gone
  std::vector<std::pair<std::string, Found>> answers;
};

Result<std::vector<Endpoint>> Resolver::system_lookup(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  const int code = ::getaddrinfo(host.c_str(), nullptr, &wanted, &first);
  if (code != 0) {
    const bool unknown = code == EAI_NONAME || code == EAI_NODATA;
    return Error{unknown ? ErrorCode::kInvalidArgument : ErrorCode::kIo, "name",
                 ::gai_strerror(code)};
  }
  std::vector<Endpoint> found;
  for (const addrinfo* entry = first; entry != nullptr; entry = entry->ai_next) {
    if (const auto endpoint = endpoint_of(entry->ai_addr)) found.push_back(*endpoint);
  }
  ::freeaddrinfo(first);
  return found;
}

Resolver::Resolver(uv_loop_t* loop, Lookup lookup)
    : lookup_(std::move(lookup)),
      answered_(loop, [this] { take_answers(); }),
      mailbox_(std::make_shared<Mailbox>()) {
  mailbox_->wake = &answered_;
}

Resolver::~Resolver() {
  const std::lock_guard<std::mutex> lock(mailbox_->mutex);
  mailbox_->wake = nullptr;
}

void Resolver::resolve(const std::string& address, Done done) {
  const Result<HostPort> parsed = parse_host_port(address);
  if (!parsed.ok()) return done(parsed.error());
  if (const std::optional<Endpoint> literal = literal_endpoint(*parsed)) {
    return done(*literal);
  }
  Name* name = name_of(parsed->host);
  if (name == nullptr) return done(Error{ErrorCode::kBusy, kLookup, address + ": too many names"});
  if (!name->asked && name->found && monotonic_now() < name->fresh_until) {
    return done(choose(*name->found, address, parsed->port));
  }
  name->waiting.push_back({address, parsed->port, std::move(done)});
  ask(parsed->host, *name);
}

std::optional<Endpoint> Resolver::known(const std::string& address) {
  const Result<HostPort> parsed = parse_host_port(address);
  if (!parsed.ok()) return std::nullopt;
  if (const std::optional<Endpoint> literal = literal_endpoint(*parsed)) {
    return literal;
  }
  Name* name = name_of(parsed->host);
  if (name == nullptr) return std::nullopt;
  if (!name->asked && (!name->found || monotonic_now() >= name->fresh_until)) {
    ask(parsed->host, *name);
  }
  // An old answer is better than none while the new one is on its way.
  if (!name->found) return std::nullopt;
  const Result<Endpoint> chosen = choose(*name->found, address, parsed->port);
  return chosen.ok() ? std::optional<Endpoint>(*chosen) : std::nullopt;
}

Result<Endpoint> Resolver::resolve_now(const std::string& address) {
  EBB_ASSIGN(const HostPort parsed, parse_host_port(address));
  if (const std::optional<Endpoint> literal = literal_endpoint(parsed)) return *literal;
  return choose(system_lookup(parsed.host), address, parsed.port);
}

Resolver::Name* Resolver::name_of(const std::string& host) {
  const auto it = names_.find(host);
  if (it != names_.end()) return &it->second;
  if (names_.size() >= limits::kNamesKept) {
    const Instant now = monotonic_now();
    std::erase_if(names_, [now](const auto& entry) {
      return !entry.second.asked && entry.second.fresh_until <= now;
    });
  }
  return names_.size() >= limits::kNamesKept ? nullptr : &names_[host];
}

void Resolver::ask(const std::string& host, Name& name) {
  if (name.asked) return;
  name.asked = true;
  queue_.push_back(host);
  start_lookups();
}

void Resolver::start_lookups() {
  while (!queue_.empty() && running_ < limits::kLookupsAtOnce) {
    const std::string host = std::move(queue_.front());
    queue_.pop_front();
    ++running_;
    const auto work = [host, lookup = lookup_, mailbox = mailbox_] {
      Found found = lookup(host);
      const std::lock_guard<std::mutex> lock(mailbox->mutex);
      if (mailbox->wake == nullptr) return;
      mailbox->answers.emplace_back(host, std::move(found));
      mailbox->wake->send();
    };
    try {
      std::thread(work).detach();
    } catch (const std::system_error& error) {
      const std::lock_guard<std::mutex> lock(mailbox_->mutex);
      mailbox_->answers.emplace_back(host, Error{ErrorCode::kBusy, "name", error.what()});
      answered_.send();
    }
  }
}

void Resolver::take_answers() {
  std::vector<std::pair<std::string, Found>> answers;
  {
    const std::lock_guard<std::mutex> lock(mailbox_->mutex);
    answers.swap(mailbox_->answers);
  }
  running_ -= answers.size();
  for (const auto& [host, found] : answers)
    take_answer(host, found);
  start_lookups();
}

void Resolver::take_answer(const std::string& host, const Found& found) {
  Name& name = names_.at(host);
  name.asked = false;
  name.fresh_until = monotonic_now() + (found.ok() ? kKept : kFailureKept);
  name.found = found;
  const std::vector<Waiting> waiting = std::exchange(name.waiting, {});
  for (const Waiting& each : waiting)
    each.done(choose(found, each.address, each.port));
}

}  // namespace ebb::node
