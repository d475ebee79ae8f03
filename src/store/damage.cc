#include "store/damage.h"

#include <string>

namespace ebb::store {

Error damage(const Error& found, const LogId& log, Seq first_seq) {
  return {ErrorCode::kCorrupt, "stored segment",
          log_text(log) + " from " + std::to_string(first_seq) + ": " + found.message()};
}

}  // namespace ebb::store
