#include "sim/follower_checker.h"

#include <string>

namespace ebb::sim {

void FollowerChecker::opened(HostIndex host, const Storage& store) {
  std::map<LogId, Seq>& cursors = cursors_[host];
  for (const store::HeadRecord& head : store.heads()) {
    Seq& cursor = cursors[head.log];
    if (cursor > head.held.seq) {
      findings_.add("follower", host,
                    "was given " + dot_text({head.log, cursor}) + ", which is no more");
    }
    cursor = head.held.seq;
  }
}

void FollowerChecker::committed(HostIndex host, const store::CommitResult& result) {
  std::map<LogId, Seq>& cursors = cursors_[host];
  for (const store::HeadAdvance& advance : result.advances) {
    Seq& cursor = cursors[advance.head.log];
    const Seq first = advance.before.seq + 1;
    if (first <= cursor) {
      findings_.add("follower", host, "is given " + dot_text({advance.head.log, first}) + " again");
    } else if (first > cursor + 1) {
      findings_.add("follower", host, "is not given " + dot_text({advance.head.log, cursor + 1}));
    }
    cursor = advance.head.held.seq;
  }
}

void FollowerChecker::check(HostIndex host, const Storage& store) {
  for (const store::HeadRecord& head : store.heads()) {
    const Seq given = cursors_[host][head.log];
    if (given == head.held.seq) continue;
    findings_.add("follower", host,
                  "was given " + std::to_string(given) + " events up to " +
                      dot_text({head.log, head.held.seq}));
  }
}

}  // namespace ebb::sim
