// What `ebb status` and `ebb invite ls` say of certificates, in words.
//
// Model:   of JSON as the local API gives it; what is missing there is not spoken of.
// Threads: pure functions; any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace ebb::cli {

// "as reader, writer; topics pump."; empty for what is usual: reader, writer and relay, and all
// topics. Of an object with `roles` and `prefixes`.
std::string terms_words(const nlohmann::json& terms);
// The standing of this device, until when, and as what. Empty: the answer says nothing of it.
std::string member_words(const nlohmann::json& status);
// How many issuers the mesh has, for a device that is one; else empty.
std::string issuers_words(const nlohmann::json& status);

}  // namespace ebb::cli
