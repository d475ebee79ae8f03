// DatagramChecker: nobody who has not shown that it receives at an address gets more by datagram
// there than it has sent: an honest host tells what it holds, and answers, only to addresses from
// which a cookie has come that it had sent there in the same life. To others it sends questions of
// its own and, for each question from there, one cookie smaller than that.
//
// Model:   goes by what was on the wire; a secret, or how long a cookie is good, it does not know.
// Threads: not thread-safe; owned by one run.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "codec/datagram.h"
#include "sim/observer.h"

namespace ebb::sim {

class DatagramChecker {
 public:
  explicit DatagramChecker(Findings& findings) : findings_(findings) {}  // must outlive it

  // Another life: what was proven to the one before is void.
  void opened(HostIndex host);
  void received(HostIndex host, const std::string& from, ByteView bytes);
  void sent(HostIndex host, const std::string& to, ByteView bytes);

 private:
  struct Address {
    std::set<codec::AddressCookie> cookies;  // that were sent there
    bool proven = false;                     // one of them came back
    std::size_t question_bytes = 0;          // of the last question that is not answered
  };
  Findings& findings_;
  std::map<HostIndex, std::map<std::string, Address>> hosts_;
};

}  // namespace ebb::sim
