#include "mesh/log_cut.h"

#include <algorithm>
#include <string_view>

#include "trust/hash.h"

namespace ebb::mesh {
namespace {

constexpr std::string_view kLabel = "ebb-cut-1";
constexpr std::size_t kPlainBytes = 3;
constexpr std::size_t kSharing = 64;

bool same_beginning(const LogId& log, const codec::LogCut& cut) {
  return std::equal(cut.data.begin(), cut.data.begin() + kPlainBytes, log.data.begin());
}

}  // namespace

codec::LogCut cut_of(const ReconciliationId& salt, const LogId& log) {
  const Hash salted = trust::hash({as_bytes(kLabel), salt.view(), log.view()});
  codec::LogCut cut;
  std::copy_n(log.data.begin(), kPlainBytes, cut.data.begin());
  std::copy_n(salted.data.begin(), codec::LogCut::kSize - kPlainBytes,
              cut.data.begin() + kPlainBytes);
  return cut;
}

LogEntry* find_cut(HeadTable& heads, const ReconciliationId& salt, const codec::LogCut& cut) {
  LogId first;
  std::copy_n(cut.data.begin(), kPlainBytes, first.data.begin());
  const LogId* found = nullptr;
  std::size_t sharing = 0;
  const auto end = heads.entries_end();
  for (auto it = heads.entries_from(first); it != end && same_beginning(it->first, cut); ++it) {
    if (++sharing > kSharing) return nullptr;
    if (cut_of(salt, it->first) != cut) continue;
    if (found != nullptr) return nullptr;
    found = &it->first;
  }
  return found == nullptr ? nullptr : heads.find(*found);
}

}  // namespace ebb::mesh
