#include "store/meta.h"

namespace ebb::store {
namespace {

constexpr std::string_view kGet = "SELECT value FROM meta WHERE key=?1";
constexpr std::string_view kPut = "INSERT OR REPLACE INTO meta(key,value) VALUES(?1,?2)";

}  // namespace

Result<std::optional<std::uint64_t>> get_meta_u64(const Connection& connection,
                                                  std::string_view key) {
  EBB_ASSIGN(Statement get, connection.prepare(kGet));
  get.bind_text(1, key);
  EBB_ASSIGN(const bool found, get.step());
  if (!found) return std::optional<std::uint64_t>();
  return std::optional<std::uint64_t>(get.column_u64(0));
}

Result<std::optional<Bytes>> get_meta_blob(const Connection& connection, std::string_view key) {
  EBB_ASSIGN(Statement get, connection.prepare(kGet));
  get.bind_text(1, key);
  EBB_ASSIGN(const bool found, get.step());
  if (!found) return std::optional<Bytes>();
  return std::optional<Bytes>(to_bytes(get.column_blob(0)));
}

Status put_meta(const Connection& connection, std::string_view key, std::uint64_t value) {
  EBB_ASSIGN(Statement put, connection.prepare(kPut));
  put.bind_text(1, key);
  put.bind(2, value);
  return put.run();
}

Status put_meta(const Connection& connection, std::string_view key, ByteView value) {
  EBB_ASSIGN(Statement put, connection.prepare(kPut));
  put.bind_text(1, key);
  put.bind(2, value);
  return put.run();
}

}  // namespace ebb::store
