// MemberChecker: nobody holds events of an author who may not write them, who is not let in gets
// nothing, and no issuer's log has two histories, or is told before it is stored.
//
// Model:   judges what each commit has brought. A record that any host keeps must be one that the
//          host of its issuer has kept at some time, or was written before the run.
// Threads: not thread-safe; owned by one run.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/observer.h"

namespace ebb::sim {

class MemberChecker {
 public:
  explicit MemberChecker(Findings& findings) : findings_(findings) {}  // must outlive it

  // What a host may not write, or not hold of others, unlike all others; by topic.
  struct Limits {
    HostIndex host = 0;
    DeviceId device;
    std::function<bool(std::string_view topic)> writes;
    std::function<bool(std::string_view topic)> holds;
  };
  void limit(Limits limits) { limited_.push_back(std::move(limits)); }
  void set_issuer(const DeviceId& authority, HostIndex host) { issuers_[authority] = host; }
  // Was there before anybody started.
  void known(const MeshId& mesh, ByteView record);

  void committed(HostIndex host, const store::CommitResult& result);
  void kept(HostIndex host, const MeshId& mesh, const std::vector<Bytes>& records);

 private:
  Findings& findings_;
  std::vector<Limits> limited_;
  std::map<DeviceId, HostIndex> issuers_;
  std::map<std::pair<DeviceId, Seq>, Hash> logs_;
  std::set<std::pair<DeviceId, Position>> durable_;  // at the host of their issuer
};

}  // namespace ebb::sim
