// Who may become a device of the mesh: invites, certificates, and the policy.
#include <optional>

#include "core/limits.h"
#include "core/secret.h"
#include "http/handlers.h"
#include "http/json_fields.h"
#include "http/membership.h"

namespace ebb::http {
namespace {

// An invite and its addresses once more.
constexpr std::size_t kInviteAnswerBytes = 2 * limits::kInviteCharacters;

// A field that is a whole number of 1 or more; `fallback` when it is absent.
Result<std::int64_t> count_field(const JsonFields& fields, std::string_view name,
                                 std::int64_t fallback) {
  const auto it = fields.find(name);
  if (it == fields.end() || std::holds_alternative<std::monostate>(it->second)) return fallback;
  const auto* number = std::get_if<std::int64_t>(&it->second);
  if (number == nullptr || *number < 1) {
    return Error{ErrorCode::kInvalidArgument, "has to be a whole number of 1 or more"};
  }
  return *number;
}

// Whole days, 1 to 400; nullopt when it is absent.
Result<std::optional<std::int64_t>> days_field(const JsonFields& fields) {
  EBB_ASSIGN(const std::int64_t days, count_field(fields, "days", 0));
  if (days == 0) return std::optional<std::int64_t>();
  EBB_ASSIGN(const std::int64_t checked, trust::days_from(days));
  return std::optional<std::int64_t>(checked);
}

// What a person wants a certificate to say, each where it was given.
struct TermsGiven {
  std::optional<std::uint64_t> roles;
  std::optional<std::vector<std::string>> prefixes;
  std::optional<std::int64_t> days;
};

// False: it was refused.
bool read_terms(const RequestPtr& request, const JsonFields& fields, std::uint64_t allowed,
                TermsGiven& out) {
  const auto refuse = [&request](const Error& error, std::string_view field) {
    request->refuse(error, field);
    return false;
  };
  const auto names = texts_field(fields, "roles");
  if (!names) return refuse(names.error(), "roles");
  if (*names) {
    const auto roles = trust::roles_from(**names, allowed);
    if (!roles) return refuse(roles.error(), "roles");
    out.roles = *roles;
  }
  auto texts = texts_field(fields, "prefixes");
  if (!texts) return refuse(texts.error(), "prefixes");
  if (*texts) {
    auto prefixes = trust::prefixes_from(std::move(**texts));
    if (!prefixes) return refuse(prefixes.error(), "prefixes");
    out.prefixes = std::move(*prefixes);
  }
  const auto days = days_field(fields);
  if (!days) return refuse(days.error(), "days");
  out.days = *days;
  return true;
}

void write_invite(JsonWriter& out, const node::KeptInvite& invite, WallTime now) {
  const bool open = invite.is_open(now);
  out.begin_object().field("id", to_hex(invite.id.view())).field("made_ms", invite.made.ms);
  out.field("expires_ms", invite.expires.ms).field("uses", invite.uses);
  out.field("uses_left", invite.uses_left());
  out.field("state", open                      ? "open"
                     : invite.uses_left() == 0 ? "used"
                     : invite.ended            ? "ended"
                                               : "expired");
  write_terms(out, invite.terms.roles, invite.terms.prefixes);
  out.field("days", invite.terms.days).key("devices").begin_array();
  for (const DeviceId& device : invite.devices)
    out.value(device_text(device));
  out.end_array().end_object();
}

std::optional<JsonFields> fields_of(const RequestPtr& request,
                                    std::initializer_list<std::string_view> known) {
  if (!request->only_parameters({})) return std::nullopt;
  std::string field;
  auto fields = parse_fields(request->body(), known, field);
  if (fields) return std::move(*fields);
  request->refuse(fields.error(), field);
  return std::nullopt;
}

// Answers when the node has signed and kept it, or says why not.
node::Node::IssueDone answer_record(const RequestPtr& request) {
  return [waiting = std::weak_ptr<Request>(request)](const Result<Bytes>& record) {
    const RequestPtr still = waiting.lock();
    if (!still) return;
    if (!record.ok()) return still->refuse(record.error());
    std::string body;
    JsonWriter(body).begin_object().field("record", to_base32(*record)).end_object();
    still->answer(json_answer(std::move(body)));
  };
}

}  // namespace

void make_invite(const RequestPtr& request) {
  const auto fields = fields_of(request, {"ttl_ms", "uses", "roles", "prefixes", "days"});
  if (!fields) return;
  const auto ttl = count_field(*fields, "ttl_ms", node::kInviteTtl.ms());
  if (!ttl) return request->refuse(ttl.error(), "ttl_ms");
  if (*ttl > node::kInviteTtlMax.ms()) {
    return request->refuse({ErrorCode::kOutOfRange, "is at most 30 days"}, "ttl_ms");
  }
  const auto uses = count_field(*fields, "uses", 1);
  if (!uses) return request->refuse(uses.error(), "uses");
  TermsGiven given;
  if (!read_terms(request, *fields, trust::roles::kUsual, given)) return;
  trust::Terms terms;
  terms.roles = given.roles.value_or(terms.roles);
  terms.prefixes = given.prefixes.value_or(terms.prefixes);
  terms.days = given.days.value_or(terms.days);
  auto made = request->node().make_invite(milliseconds(*ttl), static_cast<std::uint64_t>(*uses),
                                          std::move(terms));
  if (!made) {
    const std::string_view about = made.error().context;
    return request->refuse(made.error(), about == "ttl" ? "ttl_ms" : about == "uses" ? about : "");
  }
  std::string body;
  body.reserve(kInviteAnswerBytes);  // once: what grows leaves its letters behind
  JsonWriter out(body);
  out.begin_object().field("invite", made->line).field("id", to_hex(made->id.view()));
  out.field("expires_ms", made->expires.ms).field("uses", *uses).key("addresses").begin_array();
  for (const std::string& address : made->addresses)
    out.value(address);
  out.end_array().end_object();
  erase_text(made->line);
  Answer answer = json_answer(std::move(body));
  answer.secret = true;
  request->answer(std::move(answer));
}

void list_invites(const RequestPtr& request) {
  if (!request->only_parameters({})) return;
  std::string body;
  JsonWriter out(body);
  out.begin_object().key("invites").begin_array();
  for (const node::KeptInvite& invite : request->node().invites())
    write_invite(out, invite, request->node().wall());
  out.end_array().end_object();
  request->answer(json_answer(std::move(body)));
}

void end_invite(const RequestPtr& request) {
  if (!request->only_parameters({})) return;
  const auto bytes = from_hex(request->name());
  const auto id = bytes ? trust::InviteId::from(*bytes) : std::nullopt;
  if (!id) return request->refuse({ErrorCode::kNotFound, "no such invite", request->name()});
  const Status ended = request->node().end_invite(*id);
  if (!ended) return request->refuse(ended.error());
  std::string body;
  JsonWriter(body).begin_object().field("id", request->name()).end_object();
  request->answer(json_answer(std::move(body)));
}

// Without a link key: anew, for a device that has a certificate.
void certify(const RequestPtr& request) {
  const auto fields =
      fields_of(request, {"device", "link_key", "label", "roles", "prefixes", "days"});
  if (!fields) return;
  mesh::IssueWanted wanted;
  const auto device = text_field(*fields, "device", limits::kDeviceNameBytes * 2);
  if (!device) return request->refuse(device.error(), "device");
  const auto id = parse_device(*device);
  if (!id) return request->refuse({ErrorCode::kInvalidArgument, "is no device"}, "device");
  wanted.device = *id;
  const bool is_new = fields->contains("link_key");
  if (is_new) {
    const auto link = text_field(*fields, "link_key", limits::kDeviceNameBytes * 2);
    if (!link) return request->refuse(link.error(), "link_key");
    const auto bytes = from_base32(*link);
    const auto key = bytes ? trust::LinkKey::from(*bytes) : std::nullopt;
    if (!key) return request->refuse({ErrorCode::kInvalidArgument, "is no key"}, "link_key");
    wanted.link_key = *key;
  }
  if (is_new || fields->contains("label")) {
    const auto label = text_field(*fields, "label", limits::kCertificateLabelBytes);
    if (!label) return request->refuse(label.error(), "label");
    wanted.label = *label;
  }
  TermsGiven given;
  if (!read_terms(request, *fields, trust::roles::kByHand, given)) return;
  wanted.roles = given.roles;
  wanted.prefixes = std::move(given.prefixes);
  if (given.days) wanted.validity = milliseconds(*given.days * limits::kDayMs);
  request->node().certify(std::move(wanted), answer_record(request));
}

void set_admit(const RequestPtr& request) {
  const auto fields = fields_of(request, {"admit"});
  if (!fields) return;
  const auto admit = text_field(*fields, "admit", limits::kDeviceNameBytes);
  if (!admit) return request->refuse(admit.error(), "admit");
  if (*admit != "secret" && *admit != "invite") {
    return request->refuse({ErrorCode::kInvalidArgument, "is secret or invite"}, "admit");
  }
  request->node().set_admit(*admit == "secret" ? trust::Admit::kSecret : trust::Admit::kInvite,
                            answer_record(request));
}

}  // namespace ebb::http
