#include "http/json_fields.h"

#include <simdjson.h>

#include <algorithm>

#include "codec/utf8.h"
#include "http/json_events.h"
#include "http/json_payload.h"

namespace ebb::http {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t kListTexts = 64;

Result<std::string> text_of(ondemand::value value) {
  std::string_view text;
  if (const auto error = value.get_string().get(text)) return json_error(error);
  if (!codec::is_utf8(text)) return Error{ErrorCode::kMalformed, "not UTF-8"};
  return std::string(text);
}

Result<std::vector<std::string>> texts_of(ondemand::value value) {
  ondemand::array list;
  if (const auto error = value.get_array().get(list)) return json_error(error);
  std::vector<std::string> texts;
  for (auto element : list) {
    ondemand::value each;
    if (const auto error = std::move(element).get(each)) return json_error(error);
    ondemand::json_type type{};
    if (const auto error = each.type().get(type)) return json_error(error);
    if (type != ondemand::json_type::string) {
      return Error{ErrorCode::kMalformed, "has to be a list of texts"};
    }
    if (texts.size() == kListTexts) return Error{ErrorCode::kTooLarge, "more than 64 texts"};
    EBB_ASSIGN(std::string text, text_of(each));
    texts.push_back(std::move(text));
  }
  return texts;
}

Result<JsonField> field_of(ondemand::value value) {
  ondemand::json_type type{};
  if (const auto error = value.type().get(type)) return json_error(error);
  switch (type) {
    case ondemand::json_type::number: {
      ondemand::number number;
      if (value.get_number().get(number)) return number_error(value.raw_json_token());
      if (number.is_int64()) return JsonField(number.get_int64());
      if (number.is_uint64()) return JsonField(number.get_uint64());
      return JsonField(number.get_double());
    }
    case ondemand::json_type::string: {
      EBB_ASSIGN(std::string text, text_of(value));
      return JsonField(std::move(text));
    }
    case ondemand::json_type::array: {
      EBB_ASSIGN(std::vector<std::string> texts, texts_of(value));
      return JsonField(std::move(texts));
    }
    case ondemand::json_type::boolean: {
      bool flag = false;
      if (const auto error = value.get_bool().get(flag)) return json_error(error);
      return JsonField(flag);
    }
    case ondemand::json_type::null: {
      bool is_null = false;
      if (const auto error = value.is_null().get(is_null)) return json_error(error);
      if (is_null) return JsonField();
      return json_error(simdjson::N_ATOM_ERROR);
    }
    default:
      return Error{ErrorCode::kMalformed, "has to be a plain value"};
  }
}

Status take_field(ondemand::field field, std::initializer_list<std::string_view> known,
                  JsonFields& fields, std::string& error_field) {
  std::string_view key;
  if (const auto error = field.unescaped_key().get(key)) return json_error(error);
  error_field = key;
  if (std::find(known.begin(), known.end(), key) == known.end()) {
    return Error{ErrorCode::kInvalidArgument, "unknown field", error_field};
  }
  EBB_ASSIGN(JsonField value, field_of(field.value()));
  if (!fields.try_emplace(error_field, std::move(value)).second) {
    return Error{ErrorCode::kDuplicateKey, "the field is there twice", error_field};
  }
  error_field.clear();
  return {};
}

}  // namespace

Result<JsonFields> parse_fields(std::string_view json,
                                std::initializer_list<std::string_view> known,
                                std::string& error_field) {
  ondemand::parser parser;
  ondemand::document document;
  const simdjson::padded_string_view padded(json.data(), json.size(), json.size() + kJsonPadding);
  if (const auto error = parser.iterate(padded).get(document)) {
    return document_error(error, json);
  }
  ondemand::object object;
  if (const auto error = document.get_object().get(object)) {
    if (error != simdjson::INCORRECT_TYPE) return document_error(error, json);
    return Error{ErrorCode::kMalformed, "the body has to be a JSON object"};
  }
  JsonFields fields;
  for (auto entry : object) {
    ondemand::field field;
    if (const auto error = std::move(entry).get(field)) return json_error(error);
    EBB_RETURN_IF_ERROR(take_field(field, known, fields, error_field));
  }
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    return json_error(simdjson::TRAILING_CONTENT);
  }
  return fields;
}

Result<std::string> text_field(const JsonFields& fields, std::string_view name,
                               std::size_t bytes_max) {
  const auto it = fields.find(name);
  const auto* text = it == fields.end() ? nullptr : std::get_if<std::string>(&it->second);
  if (text == nullptr) return Error{ErrorCode::kInvalidArgument, "has to be there and a text"};
  if (text->size() > bytes_max) {
    return Error{ErrorCode::kTooLarge, "text",
                 std::to_string(text->size()) + " bytes, at most " + std::to_string(bytes_max)};
  }
  return *text;
}

Result<std::optional<std::vector<std::string>>> texts_field(const JsonFields& fields,
                                                            std::string_view name) {
  std::optional<std::vector<std::string>> texts;
  const auto it = fields.find(name);
  if (it == fields.end() || std::holds_alternative<std::monostate>(it->second)) return texts;
  const auto* list = std::get_if<std::vector<std::string>>(&it->second);
  if (list == nullptr) return Error{ErrorCode::kInvalidArgument, "has to be a list of texts"};
  texts = *list;
  return texts;
}

}  // namespace ebb::http
