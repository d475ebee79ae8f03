// Ledger: what clients were told is stored. The checkers hold every host to it.
//
// Model:   one entry per acknowledged event; a request repeated under the same client ids has to be
//          answered with the same dots. Requests that were never answered are nobody's promise.
// Threads: not thread-safe; owned by one run.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "codec/event.h"
#include "core/ids.h"
#include "sim/observer.h"
#include "store/types.h"

namespace ebb::sim {

struct Promise {
  HostIndex host = 0;
  std::string topic;
  store::AppendItem item;
  std::uint64_t number = 0;  // in the order of the answers
  bool forgiven = false;     // the only copy went with a disk
};

class Ledger {
 public:
  void acknowledge(HostIndex host, const store::AppendBatch& batch,
                   const std::vector<store::DotRange>& ranges, Findings& findings);

  // Nobody else is held to what that host promises; to what it promises in these topics.
  void excuse(HostIndex host);
  void excuse(HostIndex host, std::function<bool(std::string_view topic)> topics);

  const std::map<Dot, Promise>& promises() const { return promises_; }
  std::uint64_t answered() const { return promises_.size(); }
  // A disk is gone: what `is_held` nowhere any more nobody is held to.
  void forgive(const std::function<bool(const Dot&)>& is_held);
  // Those that `moves` says yes to are the other's from now on.
  void move_to(Ledger& other, const std::function<bool(const Dot&)>& moves);

 private:
  void promise(HostIndex host, const Dot& dot, bool duplicate, const std::string& topic,
               const store::AppendItem& item, Findings& findings);

  std::map<Dot, Promise> promises_;
  std::map<Uuid, Dot> by_client_id_;
  std::map<HostIndex, std::function<bool(std::string_view topic)>> excused_;
};

// Whether the stored event is what the client asked for.
bool keeps(const Promise& promise, const LogKey& key, const codec::EventView& event);

// Client ids in an item.
std::optional<Uuid> client_id(const store::AppendItem& item);

}  // namespace ebb::sim
