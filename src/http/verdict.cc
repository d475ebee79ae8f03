#include "http/verdict.h"

#include <cstdint>
#include <vector>

#include "core/data_directory.h"
#include "core/limits.h"
#include "http/completeness.h"
#include "http/handlers.h"
#include "http/membership.h"

namespace ebb::http {
namespace {

std::string counted(std::uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

Verdict refused_verdict(const std::vector<node::KnownPeer>& peers) {
  std::string text = as_utf8(peers.front().address) + " refuses: " + peers.front().trouble;
  if (peers.size() > 1) text += ", and " + counted(peers.size() - 1, "more peer");
  return {"warn", text};
}

// A directory may have any bytes in its name, and answers are UTF-8.
std::string command_of(const node::NodeStatus& status, std::string_view words) {
  return as_utf8(ebb_command(words, status.dir));
}

}  // namespace

std::string disk_trouble(const node::NodeStatus& status) {
  if (status.write_waits.ms() < limits::kDiskAnswerMs) return {};
  return "the disk does not answer: a write has been waiting for " +
         counted(static_cast<std::uint64_t>(status.write_waits.ms() / 1000), "second");
}

Verdict verdict_of(const node::NodeStatus& status, const node::MembershipStatus& membership) {
  if (const std::string trouble = disk_trouble(status); !trouble.empty()) return {"bad", trouble};
  if (status.store_error) {
    return {"bad", "nothing can be stored: " + error_message(*status.store_error)};
  }
  if (status.incarnation_error) {
    return {"bad",
            "a peer holds more of our log than our store, and nothing is taken until a new "
            "incarnation is written: " +
                status.incarnation_error->detail};
  }
  if (status.store_damage) {
    return {"bad", "the store is damaged: run " + command_of(status, "verify") + " (" +
                       error_message(*status.store_damage) + ")"};
  }
  const std::optional<Verdict> of_member = membership_verdict(membership);
  if (of_member && of_member->level == "bad") return *of_member;
  if (status.clock.suspect) {
    return {"warn", "clock suspect: " + status.clock.why + "; " + status.clock.next};
  }
  if (of_member) return *of_member;
  if (!status.peers_refusing.empty()) return refused_verdict(status.peers_refusing);
  const std::string_view state = completeness_state(status);
  const std::string held = counted(status.events_held - status.records_held, "event") + " held";
  if (state == "in_sync" && !status.scope.is_full() && status.relays == 0) {
    return {"warn",
            "no link to a relay: what others have of this node's scope may be missing, " + held};
  }
  if (state == "in_sync" && status.without_relay) {
    return {"warn",
            "no neighbour may relay: what others write comes from none but themselves, " + held};
  }
  if (state == "in_sync") {
    return {"ok", "in sync with " + counted(status.links_in_sync, "link") + ", " + held};
  }
  if (state == "alone" && status.peers_configured > 0) {
    return {"ok", "alone: 0 of " + std::to_string(status.peers_configured) +
                      " configured peers answer, " + held};
  }
  if (state == "alone" && status.peers == 0 && status.listen != "off") {
    return {"ok", "alone: no peers configured, and nobody was found yet: add one with " +
                      command_of(status, "peers add HOST:PORT") + ", " + held};
  }
  if (state == "alone") return {"ok", "alone, " + held};
  if (status.events_known > status.events_held) {
    const std::uint64_t missing = status.events_known - status.events_held;
    return {"warn", "behind: " + counted(missing, "event") + " known elsewhere are missing here"};
  }
  if (status.links_incomplete > 0) {
    return {"warn", "behind: not everything known on " + counted(status.links_incomplete, "link") +
                        " could be had yet"};
  }
  return {"warn", "comparing on " + counted(status.links, "link")};
}

}  // namespace ebb::http
