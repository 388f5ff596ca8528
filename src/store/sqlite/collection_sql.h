// The SQL of collections: their tables, indexes and pages are made from the host's definitions, so this text
// cannot be constants. Every name and path that enters it has been checked (ParseCollection, ParseFieldPath);
// every value is bound. Stateless; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/collections.h"
#include "store/sqlite/connection.h"

namespace mediagen {

std::string CreateTableSql(std::string_view collection);
// kInvalid for a bad path.
StatusOr<std::string> CreateIndexSql(std::string_view collection, const std::vector<std::string>& fields,
                                     bool unique);
std::string IndexName(std::string_view collection, const std::vector<std::string>& fields, bool unique);
std::string PutSql(std::string_view collection);     // id, value
std::string FindSql(std::string_view collection);    // id → value
std::string RemoveSql(std::string_view collection);  // id

struct ListStatement {
  std::string sql;           // → id, value
  std::vector<Json> values;  // to be bound in order; the limit comes last
};
// A page as one or two statements, to be run in order until it is full: where the sort field is absent sorts
// before every value (and after, descending), and an index is seeked only when the two are asked apart.
// kInvalid for a bad filter, sort, limit or `after`.
StatusOr<std::vector<ListStatement>> ListSql(std::string_view collection, const CollectionQuery& query);

// Binds a scalar as json_extract would give it: true is 1.
void BindJson(const Json& value, Query& query);

}  // namespace mediagen
