#include "cli/terms_body.h"

#include <string>
#include <string_view>
#include <utility>

#include "cli/raw_json.h"

namespace ebb::cli {

void put_terms(const TermsOptions& terms, nlohmann::json& body) {
  if (!terms.roles.empty()) {
    nlohmann::json roles = nlohmann::json::array();
    std::string_view rest = terms.roles;
    for (std::size_t end = 0; end != std::string_view::npos;) {
      end = rest.find(',');
      roles.push_back(std::string(rest.substr(0, end)));
      if (end != std::string_view::npos) rest.remove_prefix(end + 1);
    }
    body["roles"] = std::move(roles);
  }
  for (const std::string& prefix : terms.prefixes)
    body["prefixes"].push_back(prefix == "*" ? "" : prefix);
  if (!terms.days.empty()) body["days"] = std::stoll(terms.days);
}

std::optional<Failure> why_no_terms(const TermsOptions& terms) {
  bool is_text = quote_json(terms.roles).has_value();
  for (const std::string& prefix : terms.prefixes)
    is_text = is_text && quote_json(prefix).has_value();
  if (is_text) return std::nullopt;
  return usage_failure("that is not UTF-8 text");
}

}  // namespace ebb::cli
