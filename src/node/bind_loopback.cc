#include "node/bind_policy.h"

namespace ebb::node {

const bool kBindsAnyAddress = false;

}  // namespace ebb::node
