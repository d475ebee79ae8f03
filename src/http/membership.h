// What the API says of this device as one of the mesh.
//
// Threads: pure functions; any thread.
// Spec:    docs/api.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "http/json_writer.h"
#include "http/verdict.h"
#include "node/node.h"

namespace ebb::http {

// The fields `roles` and `prefixes` of an object that was begun.
void write_terms(JsonWriter& out, std::uint64_t roles, const std::vector<std::string>& prefixes);
void write_membership(JsonWriter& out, const node::MembershipStatus& status);
// What is wrong, and what to do; nullopt: nothing, or the mesh is open.
std::optional<Verdict> membership_verdict(const node::MembershipStatus& status);

}  // namespace ebb::http
