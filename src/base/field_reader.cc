#include <algorithm>

#include "base/json.h"
#include "fmt/format.h"

namespace mediagen {

FieldReader::FieldReader(const Json& json, std::string_view what) : json_(json), what_(what) {
  if (!json_.is_object()) Fail(Error(Code::kInvalid, fmt::format("{} must be a JSON object.", what_)));
}

const Json* FieldReader::Take(std::string_view name) {
  known_.emplace_back(name);
  if (!status_.ok()) return nullptr;
  auto it = json_.find(name);
  return it == json_.end() || it->is_null() ? nullptr : &*it;
}

void FieldReader::Refuse(std::string_view name, std::string_view why) {
  Fail(Error(Code::kInvalid, fmt::format("\"{}\" in {} {}.", name, what_, why),
             {.object = std::string(name)}));
}

void FieldReader::Fail(Status status) {
  if (status_.ok()) status_ = std::move(status);
}

void FieldReader::String(std::string_view name, std::string* out, const StringRule& rule) {
  const Json* value = Take(name);
  if (!status_.ok()) return;
  if (value == nullptr) {
    if (rule.required) Refuse(name, "is required");
    return;
  }
  if (!value->is_string()) return Refuse(name, "must be a string");
  const std::string& text = value->get_ref<const std::string&>();
  if (rule.required && Trim(text).empty()) return Refuse(name, "must not be empty");
  if (text.size() > rule.max_bytes) {
    return Fail(Error(Code::kTooLarge,
                      fmt::format("\"{}\" in {} has {} bytes; at most {} are taken.", name, what_,
                                  text.size(), rule.max_bytes),
                      {.object = std::string(name)}));
  }
  if (!rule.one_of.empty() && std::find(rule.one_of.begin(), rule.one_of.end(), text) == rule.one_of.end()) {
    return Refuse(name, fmt::format("must be one of: {}", fmt::join(rule.one_of, ", ")));
  }
  *out = text;
}

void FieldReader::OptionalString(std::string_view name, std::optional<std::string>* out,
                                 const StringRule& rule) {
  std::string text;
  auto it = json_.is_object() ? json_.find(name) : json_.end();
  bool present = it != json_.end() && !it->is_null();
  String(name, &text, rule);
  if (present && status_.ok()) *out = std::move(text);
}

void FieldReader::Int(std::string_view name, int64_t* out, int64_t min, int64_t max) {
  const Json* value = Take(name);
  if (value == nullptr) return;
  bool fits =
      value->is_number_integer() && !(value->is_number_unsigned() && value->get<uint64_t>() > INT64_MAX);
  if (!fits || value->get<int64_t>() < min || value->get<int64_t>() > max) {
    return Refuse(name, fmt::format("must be a whole number from {} to {}", min, max));
  }
  *out = value->get<int64_t>();
}

void FieldReader::Number(std::string_view name, double* out, double min, double max) {
  const Json* value = Take(name);
  if (value == nullptr) return;
  if (!value->is_number() || value->get<double>() < min || value->get<double>() > max) {
    return Refuse(name, fmt::format("must be a number from {} to {}", min, max));
  }
  *out = value->get<double>();
}

void FieldReader::Bool(std::string_view name, bool* out) {
  const Json* value = Take(name);
  if (value == nullptr) return;
  if (!value->is_boolean()) return Refuse(name, "must be true or false");
  *out = value->get<bool>();
}

void FieldReader::Object(std::string_view name, Json* out) {
  const Json* value = Take(name);
  if (value == nullptr) return;
  if (!value->is_object()) return Refuse(name, "must be an object");
  *out = *value;
}

void FieldReader::Array(std::string_view name, Json* out, size_t max_items) {
  const Json* value = Take(name);
  if (value == nullptr) return;
  if (!value->is_array()) return Refuse(name, "must be an array");
  if (value->size() > max_items) return Refuse(name, fmt::format("may hold at most {} items", max_items));
  *out = *value;
}

void FieldReader::Any(std::string_view name, Json* out) {
  const Json* value = Take(name);
  if (value != nullptr) *out = *value;
}

Status FieldReader::Finish() {
  if (!status_.ok()) return status_;
  std::vector<std::string> unknown;
  for (const auto& item : json_.items()) {
    if (std::find(known_.begin(), known_.end(), item.key()) == known_.end()) {
      unknown.push_back(fmt::format("\"{}\"", Shorten(item.key(), 60)));
    }
  }
  if (unknown.empty()) return OkStatus();
  if (unknown.size() > 5) {
    unknown.resize(5);
    unknown.emplace_back("…");
  }
  return Error(Code::kInvalid, fmt::format("{} has unknown fields: {}.", what_, fmt::join(unknown, ", ")),
               {.hint = fmt::format("The fields are: {}.", fmt::join(known_, ", "))});
}

}  // namespace mediagen
