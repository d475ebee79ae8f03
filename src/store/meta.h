// The table `meta`: single values of the store, by name.
//
// Threads: one connection, one thread.
// Errors:  kCorrupt for a value of another size; those of store/sqlite.h.
// Spec:    docs/store_format.md section 3
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/result.h"
#include "store/sqlite.h"

namespace ebb::store {

// nullopt when there is no such key.
Result<std::optional<std::uint64_t>> get_meta_u64(const Connection& connection,
                                                  std::string_view key);
Result<std::optional<Bytes>> get_meta_blob(const Connection& connection, std::string_view key);

Status put_meta(const Connection& connection, std::string_view key, std::uint64_t value);
Status put_meta(const Connection& connection, std::string_view key, ByteView value);

}  // namespace ebb::store
