// Damage: what an error means that was found in stored bytes. The rooms below judge bytes from
// anywhere, and say that they are malformed or badly signed; bytes that lay in our own database
// were believed when they were stored, so there the disk is to blame and nobody who asked.
//
// Threads: pure functions; any thread.
// Errors:  kCorrupt; the detail names the log, where the bytes begin, and what was found.
#pragma once

#include <utility>

#include "core/ids.h"
#include "core/result.h"

namespace ebb::store {

// `found` in the stored segment of `log` that begins at `first_seq`.
Error damage(const Error& found, const LogId& log, Seq first_seq);

template <class T>
Result<T> or_damage(Result<T> read, const LogId& log, Seq first_seq) {
  if (read.ok()) return read;
  return damage(read.error(), log, first_seq);
}

}  // namespace ebb::store
