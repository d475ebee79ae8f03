// Cuts: seven bytes that stand for a log on one link. Three are the first of its id, so that the
// candidates are found in the sorted table; four are a hash of the id under the salt of the link,
// so that nobody can look for two logs with one cut that lasts longer than a link.
//
// Model:     a cut is only a name for what both ends know: who sends it makes sure that it is the
//            only one here, who receives one that fits no log, or several, asks for the whole id.
// Threads:   not thread-safe; part of the engine.
// Limits:    among more than kSharing logs with the same first bytes every cut is ambiguous.
// Spec:      docs/wire_format.md section 7
#pragma once

#include "codec/message.h"
#include "core/ids.h"
#include "mesh/head_table.h"

namespace ebb::mesh {

codec::LogCut cut_of(const ReconciliationId& salt, const LogId& log);
// The only log in the table with this cut; null when there is none, or more than one.
LogEntry* find_cut(HeadTable& heads, const ReconciliationId& salt, const codec::LogCut& cut);

}  // namespace ebb::mesh
