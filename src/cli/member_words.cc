#include "cli/member_words.h"

#include <string_view>
#include <vector>

#include "cli/context.h"
#include "cli/print.h"

namespace ebb::cli {
namespace {

std::string standing_words(const std::string& standing) {
  if (standing == "certified") return "certified";
  if (standing == "expired") return "certificate expired: gives its events, gets none";
  if (standing == "revoked" || standing == "retired") return standing + ": let in nowhere";
  if (standing == "suspended") return "suspended, as all devices are";
  if (standing == "unknown") return "no certificate: let in nowhere yet";
  if (standing == "issuer_expired") return "its issuer has expired: let in nowhere";
  if (standing == "not_yet_valid" || standing == "issuer_not_yet_valid") {
    return "certified from later on, by this clock";
  }
  return standing;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words)
    text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

std::vector<std::string> texts_at(const nlohmann::json& object, std::string_view key) {
  std::vector<std::string> texts;
  for (const nlohmann::json& text : list_at(object, key))
    texts.push_back(text.is_string() ? text.get<std::string>() : "?");
  return texts;
}

bool has_issuer_role(const nlohmann::json& membership) {
  for (const std::string& role : texts_at(membership, "roles")) {
    if (role == "issuer") return true;
  }
  return false;
}

std::string issuer_words(const nlohmann::json& status, const nlohmann::json& membership) {
  if (flag_at(membership, "waits_for_member")) {
    return "; issuer, signs nothing before what it has signed is here again";
  }
  if (flag_at(membership, "issues")) return "; issuer";
  if (flag_at(status, "issuer")) return "; issuer that may not certify any more";
  return has_issuer_role(membership) ? "; issuer without its key, which is not open" : "";
}

}  // namespace

std::string terms_words(const nlohmann::json& terms) {
  std::size_t usual = 0;
  std::vector<std::string> roles;
  for (const std::string& role : texts_at(terms, "roles")) {
    if (role == "issuer") continue;  // told by itself
    if (role == "reader" || role == "writer" || role == "relay") ++usual;
    roles.push_back(role);
  }
  std::string text;
  if (!roles.empty() && (usual < 3 || roles.size() > 3)) text = "as " + joined(roles);
  std::vector<std::string> prefixes = texts_at(terms, "prefixes");
  if (!prefixes.empty() && !prefixes.front().empty()) {
    text.append(text.empty() ? "" : "; ").append("topics ").append(joined(prefixes));
  }
  return text;
}

std::string member_words(const nlohmann::json& status) {
  const nlohmann::json& membership = object_at(status, "membership");
  const std::string standing = text_at(membership, "standing");
  if (standing.empty()) return {};
  std::string text = standing_words(standing);
  const std::int64_t until = number_at(membership, "until_ms");
  if (until > 0) {
    const std::int64_t days = number_at(membership, "days_left");
    const std::string day = time_text(until).substr(0, 10);
    text += (days < 0 ? ", ended " : ", until ") + day;
    if (days >= 0) text += " (" + count_text(static_cast<std::uint64_t>(days), "day") + ")";
  }
  if (flag_at(membership, "renewal_due")) text += ", renewal is due";
  const std::string terms = terms_words(membership);
  if (!terms.empty()) text += "; " + terms;
  return text + issuer_words(status, membership);
}

std::string issuers_words(const nlohmann::json& status) {
  if (!flag_at(status, "issuer")) return {};
  const std::uint64_t issuers = count_at(object_at(status, "membership"), "issuers");
  if (issuers == 0) return "0 (nobody is certified any more: see docs/security.md)";
  if (issuers > 1) return std::to_string(issuers);
  return "1 (if it is lost nobody is certified any more: see docs/security.md)";
}

}  // namespace ebb::cli
