#include <optional>

#include "core/limits.h"
#include "http/append.h"
#include "http/ask.h"
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

Result<store::SetChange> change_of(const JsonFields& fields, const std::string& name) {
  if (fields.size() != 1) {
    return Error{ErrorCode::kInvalidArgument, "give one of add and remove"};
  }
  store::SetChange change;
  change.name = name;
  change.add = fields.begin()->first == "add";
  EBB_ASSIGN(change.element, text_field(fields, fields.begin()->first, limits::kSetElementBytes));
  return change;
}

// {"name", "topic", and what `write` adds}.
template <class Write>
void answer_object(Request& request, const std::string& topic, Write write) {
  std::string body;
  JsonWriter out(body);
  out.begin_object().field("name", request.name()).field("topic", topic);
  write(out);
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
  const auto fields = parse_fields(request->body(), {"add"}, field);
  if (!fields) return request->refuse(fields.error(), field);
  const auto amount = amount_of(*fields);
  if (!amount) return request->refuse(amount.error(), "add");
  store::AppendBatch batch{.topic = *topic, .items = {}};
  batch.items.emplace_back(store::CounterAdd{.name = request->name(), .amount = *amount});
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
  const auto fields = parse_fields(request->body(), {"add", "remove"}, field);
  if (!fields) return request->refuse(fields.error(), field);
  auto change = change_of(*fields, request->name());
  if (!change) {
    return request->refuse(change.error(), fields->size() == 1 ? fields->begin()->first : "add");
  }
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
