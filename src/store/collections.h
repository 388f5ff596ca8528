// Collections: the host's own JSON records, beside ours and in one transaction with its jobs.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace mediagen {

// {"name": "orders", "indexes": [["user", "createdAt desc"]], "unique": [["externalId"]]}
struct CollectionDefinition {
  std::string name;                                       // [a-z][a-z0-9_]{0,62}
  std::vector<std::vector<std::string>> indexes, unique;  // field paths, " desc" behind one that descends
};
StatusOr<CollectionDefinition> ParseCollection(const Json& json);

// "createdAt desc", "owner.name": names of [A-Za-z_][A-Za-z0-9_]* joined by dots, at most 200 bytes.
// kInvalid.
struct FieldPath {
  std::string path;
  bool descending = false;
};
StatusOr<FieldPath> ParseFieldPath(std::string_view text);

struct CollectionQuery {
  Json filter = Json::object();  // field → value, or an array of values (any of)
  std::string sort = "id";       // "createdAt desc"; ties by id
  int limit = 20;                // 1–200
  std::optional<Json> after;     // [sort value, id] of the last row seen
};
struct CollectionRow {
  std::string id;
  std::string value_json;
};

// A view into one transaction or snapshot. kNotFound: an undefined collection. Ids are 1–128 bytes of the
// host's.
class Collections {
 public:
  virtual ~Collections() = default;
  virtual Status Define(
      const CollectionDefinition& definition) = 0;  // additive; kConflict when unique values clash
  virtual Status Put(std::string_view collection, std::string_view id,
                     std::string_view value_json) = 0;  // kConflict names the unique field
  virtual Status Remove(std::string_view collection, std::string_view id) = 0;
  // In the order asked; nothing where there is no row.
  virtual StatusOr<std::vector<std::optional<std::string>>> GetMany(
      std::string_view collection, std::span<const std::string> ids) const = 0;
  // limit + 1 rows when there are more.
  virtual StatusOr<std::vector<CollectionRow>> List(std::string_view collection,
                                                    const CollectionQuery& query) const = 0;
};

}  // namespace mediagen
