#include "store/collections.h"

#include <algorithm>

#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr size_t kMostIndexes = 16;
constexpr size_t kMostFields = 4;

bool IsName(std::string_view name) {
  if (name.empty() || name.size() > 63 || name[0] < 'a' || name[0] > 'z') return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

Status ReadFieldLists(FieldReader& fields, std::string_view name,
                      std::vector<std::vector<std::string>>* out) {
  Json lists = Json::array();
  fields.Array(name, &lists, kMostIndexes);
  for (const Json& list : lists) {
    if (!list.is_array() || list.empty() || list.size() > kMostFields) {
      fields.Refuse(name, fmt::format("each of them is a list of 1–{} field paths", kMostFields));
      return OkStatus();
    }
    std::vector<std::string>& paths = out->emplace_back();
    for (const Json& path : list) {
      if (!path.is_string()) {
        fields.Refuse(name, "field paths are strings");
        return OkStatus();
      }
      ASSIGN_OR_RETURN(FieldPath parsed, ParseFieldPath(path.get_ref<const std::string&>()));
      paths.push_back(parsed.path + (parsed.descending ? " desc" : ""));
    }
  }
  return OkStatus();
}

}  // namespace

StatusOr<FieldPath> ParseFieldPath(std::string_view text) {
  FieldPath field;
  std::string_view path = text;
  if (path.ends_with(" desc")) {
    field.descending = true;
    path.remove_suffix(5);
  } else if (path.ends_with(" asc")) {
    path.remove_suffix(4);
  }
  bool start = true, good = !path.empty() && path.size() <= 200;
  for (char c : path) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    bool digit = c >= '0' && c <= '9';
    good &= c == '.' ? !start : letter || (digit && !start);
    start = c == '.';
  }
  if (!good || start) {
    return Error(Code::kInvalid, fmt::format("\"{}\" is not a field path.", Shorten(text, 60)),
                 {.hint = "Use letters, digits, _ and dots, with \" desc\" behind a path that descends: "
                          "\"createdAt desc\"."});
  }
  field.path = std::string(path);
  return field;
}

StatusOr<CollectionDefinition> ParseCollection(const Json& json) {
  CollectionDefinition definition;
  FieldReader fields(json, "collection");
  fields.String("name", &definition.name, {.required = true, .max_bytes = 63});
  RETURN_IF_ERROR(ReadFieldLists(fields, "indexes", &definition.indexes));
  RETURN_IF_ERROR(ReadFieldLists(fields, "unique", &definition.unique));
  RETURN_IF_ERROR(fields.Finish());
  if (IsName(definition.name)) return definition;
  return Error(Code::kInvalid, fmt::format("\"{}\" is not the name of a collection.", definition.name),
               {.hint = "Names are [a-z][a-z0-9_]{0,62}."});
}

}  // namespace mediagen
