// AuthorityTable: what the store keeps of the logs of authorities: their records as they were
// signed, what is missing of them, and the floors of time.
//
// Model:   rows alone; nothing is in memory, and what they mean is for others to say. Who wants
//          them at a start reads all.
// Threads: not thread-safe; owned by the store.
// Errors:  write: kMalformed for a record that does not read; all: kCorrupt for rows of another
//          form; those of store/sqlite.h.
// Spec:    docs/store_format.md sections 3 and 9
#pragma once

#include "core/ids.h"
#include "core/result.h"
#include "store/sqlite.h"
#include "store/types.h"

namespace ebb::store {

class AuthorityTable {
 public:
  explicit AuthorityTable(const MeshId& mesh) : mesh_(mesh) {}
  Status open(const Connection& connection);
  // Inside a transaction. A record that is here already stays as it is.
  Status write(const AuthorityRows& rows);
  Result<AuthorityRows> all() const;

 private:
  Status put(ByteView record);

  MeshId mesh_;
  const Connection* connection_ = nullptr;
  Statement put_;
  Statement drop_;
  Statement put_missing_;
};

// All records, in order of authority and seq.
Result<std::vector<Bytes>> read_authority_records(const Connection& connection);

}  // namespace ebb::store
