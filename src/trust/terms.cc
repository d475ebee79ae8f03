#include "trust/terms.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ebb::trust {
namespace {

struct Named {
  std::uint64_t role;
  std::string_view name;
};
constexpr std::array<Named, 6> kNames = {{{roles::kReader, "reader"},
                                          {roles::kWriter, "writer"},
                                          {roles::kRelay, "relay"},
                                          {roles::kCheckpointer, "checkpointer"},
                                          {roles::kAdmin, "admin"},
                                          {roles::kIssuer, "issuer"}}};

std::string list_of(std::uint64_t roles) {
  std::string list;
  for (const std::string_view name : role_names(roles))
    list.append(list.empty() ? "" : ", ").append(name);
  return list;
}

Error wrong_roles(std::string why) {
  return {ErrorCode::kInvalidArgument, "roles", std::move(why)};
}
Error wrong_prefixes(ErrorCode code, std::string why) { return {code, "prefixes", std::move(why)}; }

}  // namespace

std::vector<std::string_view> role_names(std::uint64_t roles) {
  std::vector<std::string_view> names;
  for (const Named& each : kNames) {
    if ((roles & each.role) != 0) names.push_back(each.name);
  }
  return names;
}

Result<std::uint64_t> roles_from(const std::vector<std::string>& names, std::uint64_t allowed) {
  std::uint64_t roles = 0;
  for (const std::string& name : names) {
    const auto* const known = std::find_if(
        kNames.begin(), kNames.end(), [&name](const Named& each) { return each.name == name; });
    if (known == kNames.end()) {
      return wrong_roles("\"" + name + "\" is no role: there are " + list_of(allowed));
    }
    if (known->role == roles::kIssuer) {
      return wrong_roles(
          "the role issuer is not to be given: it says that an issuer's key is on the "
          "device, and no certificate brings that there");
    }
    if ((known->role & allowed) == 0) {
      return wrong_roles("the role " + name +
                         " is given by hand alone, with `ebb cert`: here are " + list_of(allowed));
    }
    roles |= known->role;
  }
  if (roles == 0) return wrong_roles("names no role: there are " + list_of(allowed));
  return roles;
}

Result<std::vector<std::string>> prefixes_from(std::vector<std::string> prefixes) {
  if (prefixes.empty())
    return wrong_prefixes(ErrorCode::kInvalidArgument,
                          "names no topic prefix: leave it away for all topics");
  for (const std::string& prefix : prefixes) {
    if (prefix.size() > limits::kTopicBytes) {
      return wrong_prefixes(ErrorCode::kTooLarge, "one has " + std::to_string(prefix.size()) +
                                                      " bytes, at most " +
                                                      std::to_string(limits::kTopicBytes));
    }
    if (!is_topic_prefix(prefix)) {
      return wrong_prefixes(
          ErrorCode::kInvalidArgument,
          "\"" + prefix +
              "\" begins no topic: a to z, 0 to 9, dot, hyphen and underscore, and no "
              "underscore in front");
    }
  }
  std::sort(prefixes.begin(), prefixes.end());
  prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
  if (prefixes.front().empty()) return std::vector<std::string>{""};
  if (prefixes.size() > limits::kTopicPrefixes) {
    return wrong_prefixes(ErrorCode::kTooLarge,
                          "more than " + std::to_string(limits::kTopicPrefixes));
  }
  return prefixes;
}

Result<std::int64_t> days_from(std::int64_t days) {
  if (days >= 1 && days <= kTermDaysMax) return days;
  return Error{ErrorCode::kOutOfRange, "days", "from 1 to " + std::to_string(kTermDaysMax)};
}

}  // namespace ebb::trust
