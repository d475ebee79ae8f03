// Only in `ebb-unsafe-bind`, the program that tests run on networks of their own.
#include "node/bind_policy.h"

namespace ebb::node {

const bool kBindsAnyAddress = true;

}  // namespace ebb::node
