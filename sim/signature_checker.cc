#include "sim/signature_checker.h"

#include <string>

#include "trust/chain.h"

namespace ebb::sim {

void SignatureChecker::check_at_rest(HostIndex host, const Storage& store) {
  for (const store::HeadRecord& head : store.heads()) {
    const std::string log = dot_text({head.log, head.held.seq}) + " of topic " + head.key.topic;
    if (head.capped) {
      findings_.add("signature", host, "an event that nobody has written ends a log: " + log);
    } else if (head.held.seq != 0 && !holds(head)) {
      findings_.add("signature", host, "holds what its author has not signed: " + log);
    }
  }
}

bool SignatureChecker::holds(const store::HeadRecord& head) {
  const Good seen{head.held, head.hlc, head.signature};
  const auto known = good_.find(head.log);
  if (known != good_.end() && known->second == seen) return true;
  const Bytes said = trust::head_bytes(
      {.log = head.log, .seq = head.held.seq, .hlc = head.hlc, .chain = head.held.chain});
  const trust::SignatureCheck& check = real_ ? real_check_ : stand_in_check_;
  if (!check.holds(head.key.device, said, head.signature)) return false;
  good_[head.log] = seen;
  return true;
}

}  // namespace ebb::sim
