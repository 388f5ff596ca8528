// JSON at the edge: parsing that treats every byte as hostile, and a strict reader of objects that names what
// it refuses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "nlohmann/json.hpp"

namespace mediagen {

using Json = nlohmann::json;

struct JsonLimits {
  size_t max_bytes = 1 << 20;
  int max_depth = 64;  // nlohmann recurses on destruction; deeper is an attack
};

// Parses one JSON value. Refuses, as kInvalid with the byte position (the first byte is 1): malformed text,
// invalid UTF-8, duplicate keys (two readers would disagree on which counts) and depth; as kTooLarge: more
// than max_bytes. `what` names the document in the error.
StatusOr<Json> ParseJson(std::string_view text, std::string_view what, const JsonLimits& limits = {});

// Compact text. Invalid UTF-8 inside strings is replaced, never thrown.
std::string Dump(const Json& json);

// Whether a text stands in a JSON string as it is: printable ASCII without quotes and backslashes.
bool IsPlainJson(std::string_view text);
// Appends `text` as a quoted JSON string; invalid UTF-8 is replaced. For the hot paths that write JSON
// without a tree.
void AppendJsonString(std::string_view text, std::string* out);

// Reads one JSON object field by field and refuses the fields that nobody asked for.
//
//   FieldReader fields(json, "generation request");
//   fields.String("prompt", &prompt, {.required = true, .max_bytes = 32768});
//   fields.Int("n", &n, 1, 10);
//   RETURN_IF_ERROR(fields.Finish());
//
// A missing or null field leaves its target untouched. The first error is kept and everything after it is
// skipped. Not thread-safe; `json` must outlive it.
class FieldReader {
 public:
  struct StringRule {
    bool required = false;  // absent, null or empty is an error
    size_t max_bytes = 4096;
    std::vector<std::string_view> one_of = {};  // empty: anything
  };

  FieldReader(const Json& json, std::string_view what);

  void String(std::string_view name, std::string* out, const StringRule& rule);
  void String(std::string_view name, std::string* out) { String(name, out, StringRule{}); }
  void OptionalString(std::string_view name, std::optional<std::string>* out, const StringRule& rule);
  void Int(std::string_view name, int64_t* out, int64_t min, int64_t max);
  void Bool(std::string_view name, bool* out);
  void Number(std::string_view name, double* out, double min, double max);
  // Any object; its fields are the caller's to check.
  void Object(std::string_view name, Json* out);
  void Array(std::string_view name, Json* out, size_t max_items);
  // Any value, taken as it is.
  void Any(std::string_view name, Json* out);

  // The value under `name`, or nullptr when absent or null. Counts as asked for.
  const Json* Take(std::string_view name);
  // Records an error about the field `name`.
  void Refuse(std::string_view name, std::string_view why);
  void Fail(Status status);
  bool ok() const { return status_.ok(); }

  // The first error, or an error that names every unknown field, or OK.
  Status Finish();

 private:
  const Json& json_;
  std::string what_;
  std::vector<std::string> known_;
  Status status_;
};

}  // namespace mediagen
