#include <optional>

#include "core/limits.h"
#include "http/append.h"
#include "http/ask.h"
#include "http/completeness.h"
#include "http/handlers.h"
#include "http/json_fields.h"
#include "state/objects.h"

namespace ebb::http {
namespace {

// The topic of a request about an object; nullopt when it is answered because something is wrong.
std::optional<std::string> object_topic(const RequestPtr& request) {
  if (!request->only_parameters({"topic"})) return std::nullopt;
  if (request->name().size() > limits::kObjectNameBytes) {
    request->refuse({ErrorCode::kTooLarge, "name",
                     "at most " + std::to_string(limits::kObjectNameBytes) + " bytes"},
                    "name");
    return std::nullopt;
  }
  return request->topic();
}

Result<std::int64_t> amount_of(const JsonFields& fields) {
  const auto it = fields.find("add");
  if (it == fields.end()) return Error{ErrorCode::kInvalidArgument, "is required"};
  if (const auto* amount = std::get_if<std::int64_t>(&it->second)) return *amount;
  if (std::holds_alternative<std::uint64_t>(it->second)) {
    return Error{ErrorCode::kOutOfRange, "is beyond 2^63-1"};
  }
  return Error{ErrorCode::kMalformed, "has to be an integer"};
}

// The client's id of a change; absent and null are the same.
Result<std::optional<Uuid>> id_of(const JsonFields& fields) {
  const auto it = fields.find("id");
  if (it == fields.end() || std::holds_alternative<std::monostate>(it->second)) {
    return std::optional<Uuid>();
  }
  const auto* text = std::get_if<std::string>(&it->second);
  if (text == nullptr) return Error{ErrorCode::kMalformed, "has to be a text"};
  const auto id = parse_uuid(*text);
  if (!id) return Error{ErrorCode::kInvalidArgument, "has to be a UUID"};
  return id;
}

// `field` is then the one that is wrong.
Result<store::SetChange> change_of(const JsonFields& fields, const std::string& name,
                                   std::string& field) {
  const bool adds = fields.contains("add");
  field = adds || !fields.contains("remove") ? "add" : "remove";
  if (adds == fields.contains("remove")) {
    return Error{ErrorCode::kInvalidArgument, "give one of add and remove"};
  }
  store::SetChange change;
  change.name = name;
  change.add = adds;
  EBB_ASSIGN(change.element, text_field(fields, field, limits::kSetElementBytes));
  field = "id";
  EBB_ASSIGN(change.id, id_of(fields));
  return change;
}

// {"name", "topic", and what `write` adds}.
template <class Write>
void answer_object(Request& request, const std::string& topic, Write write) {
  std::string body;
  JsonWriter out(body);
  out.begin_object().field("name", request.name()).field("topic", topic);
  write(out);
  out.key("completeness");
  write_completeness(out, request.node().status());
  out.end_object();
  request.answer(json_answer(std::move(body)));
}

void write_total(JsonWriter& out, state::Int128 total) {
  const std::string text = state::int128_text(total);
  out.key("value");
  if (total >= INT64_MIN && total <= state::Int128{UINT64_MAX}) {
    out.raw(text);
  } else {
    out.value(text);
  }
}

}  // namespace

void add_to_counter(const RequestPtr& request) {
  const auto topic = object_topic(request);
  if (!topic) return;
  std::string field;
  const auto fields = parse_fields(request->body(), {"add", "id"}, field);
  if (!fields) return request->refuse(fields.error(), field);
  const auto amount = amount_of(*fields);
  if (!amount) return request->refuse(amount.error(), "add");
  const auto id = id_of(*fields);
  if (!id) return request->refuse(id.error(), "id");
  store::AppendBatch batch{.topic = *topic, .items = {}};
  batch.items.emplace_back(
      store::CounterAdd{.name = request->name(), .amount = *amount, .id = *id});
  append_and_answer(request, std::move(batch));
}

void get_counter(const RequestPtr& request) {
  const auto topic = object_topic(request);
  if (!topic) return;
  ask_store<state::Int128>(
      request, true,
      [topic = *topic, name = request->name()](const store::Reader& reader) {
        return reader.counter(topic, name);
      },
      [topic = *topic](Request& waiting, state::Int128 total) {
        answer_object(waiting, topic, [total](JsonWriter& out) { write_total(out, total); });
      });
}

void change_set(const RequestPtr& request) {
  const auto topic = object_topic(request);
  if (!topic) return;
  std::string field;
  const auto fields = parse_fields(request->body(), {"add", "remove", "id"}, field);
  if (!fields) return request->refuse(fields.error(), field);
  auto change = change_of(*fields, request->name(), field);
  if (!change) return request->refuse(change.error(), field);
  store::AppendBatch batch{.topic = *topic, .items = {}};
  batch.items.emplace_back(std::move(change).value());
  append_and_answer(request, std::move(batch));
}

void get_set(const RequestPtr& request) {
  const auto topic = object_topic(request);
  if (!topic) return;
  using Elements = std::vector<std::string>;
  ask_store<Elements>(
      request, true,
      [topic = *topic, name = request->name()](const store::Reader& reader) {
        return reader.set_elements(topic, name);
      },
      [topic = *topic](Request& waiting, const Elements& elements) {
        answer_object(waiting, topic, [&elements](JsonWriter& out) {
          out.key("elements").begin_array();
          for (const std::string& element : elements)
            out.value(element);
          out.end_array();
        });
      });
}

}  // namespace ebb::http
