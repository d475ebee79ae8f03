#include "sim/scope_checker.h"

#include <string>

namespace ebb::sim {

void ScopeChecker::committed(HostIndex host, const DeviceId& device, const Scope& scope,
                             const store::CommitResult& result) {
  for (const store::HeadAdvance& advance : result.advances) {
    if (covers(scope, device, advance.head.key)) continue;
    findings_.add("scope", host,
                  std::string("a ") + scope_name(scope.kind) + " node stores " +
                      dot_text({advance.head.log, advance.head.held.seq}) + " of topic " +
                      advance.head.key.topic);
  }
}

}  // namespace ebb::sim
