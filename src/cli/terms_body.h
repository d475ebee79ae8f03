// What certificates are to say, from the command line to the API.
//
// Threads: pure.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "cli/commands.h"

namespace ebb::cli {

// Into the body of a request that asks for certificates; what was not chosen is left out.
void put_terms(const TermsOptions& terms, nlohmann::json& body);
// None is text that JSON cannot keep.
std::optional<Failure> why_no_terms(const TermsOptions& terms);

}  // namespace ebb::cli
