// The scalar functions of a hardened connection: ids as people see them, and those of SQLite's own
// whose work grows with the product of their arguments, done again in linear time.
//
// Model:   instr, replace, trim, ltrim and rtrim mean what they mean in SQLite. Rationale: SQLite
//          asks whether a query has used up its time between operations, and a call is one.
// Threads: not thread-safe; belongs to one connection.
// Limits:  trim and its like take at most kSqlTrimBytes of characters to take away.
#pragma once

#include "core/result.h"

struct sqlite3;

namespace ebb::store {

Status add_functions(sqlite3* db);

}  // namespace ebb::store
