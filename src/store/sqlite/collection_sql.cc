#include "store/sqlite/collection_sql.h"

#include "base/hash.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

// The same text in indexes and queries, or SQLite would not see that they match.
std::string FieldSql(std::string_view path) { return fmt::format("json_extract(value, '$.{}')", path); }

Status BadQuery(std::string_view why) {
  return Error(Code::kInvalid, fmt::format("the query of a collection is wrong: {}.", why));
}

bool IsScalar(const Json& value) { return value.is_string() || value.is_number() || value.is_boolean(); }

StatusOr<std::string> FilterSql(const Json& filter, std::vector<Json>* values) {
  std::string sql;
  if (!filter.is_object()) return BadQuery("the filter is not an object");
  for (const auto& [name, wanted] : filter.items()) {
    ASSIGN_OR_RETURN(FieldPath field, ParseFieldPath(name));
    if (field.descending) return BadQuery("a filter has no direction");
    std::string column = field.path == "id" ? "id" : FieldSql(field.path);
    if (wanted.is_null()) {
      sql += fmt::format(" AND {} IS NULL", column);
    } else if (IsScalar(wanted)) {
      sql += fmt::format(" AND {} = ?", column);
      values->push_back(wanted);
    } else if (wanted.is_array() && !wanted.empty() && wanted.size() <= 100) {
      sql += fmt::format(" AND {} IN (?", column);
      for (size_t i = 1; i < wanted.size(); ++i) sql += ",?";
      sql += ")";
      for (const Json& value : wanted) {
        if (!IsScalar(value))
          return BadQuery(fmt::format("filter \"{}\" lists what is no scalar", Shorten(name, 60)));
        values->push_back(value);
      }
    } else {
      return BadQuery(
          fmt::format("filter \"{}\" is neither a scalar nor a list of 1–100", Shorten(name, 60)));
    }
  }
  return sql;
}

struct Page {
  std::string head, filter, tail;
  std::vector<Json> filter_values;

  ListStatement Part(std::string_view terms, std::vector<Json> values) const {
    std::vector<Json> all = filter_values;
    all.insert(all.end(), values.begin(), values.end());
    return {fmt::format("{}{}{}{}", head, filter, terms, tail), std::move(all)};
  }
};

Status CheckAfter(const Json& after) {
  bool good = after.is_array() && after.size() == 2 && after[1].is_string() &&
              (after[0].is_null() || IsScalar(after[0]));
  return good ? OkStatus() : BadQuery("`after` is not [sort value, id]");
}

std::vector<ListStatement> PageById(const Page& page, bool descending, const std::optional<Json>& after) {
  if (!after) return {page.Part("", {})};
  return {page.Part(descending ? " AND id < ?" : " AND id > ?", {(*after)[1]})};
}

std::vector<ListStatement> PageByField(const Page& page, const std::string& column, bool descending,
                                       const std::optional<Json>& after) {
  const char* compare = descending ? "<" : ">";
  const std::string absent = fmt::format(" AND {} IS NULL", column),
                    present = fmt::format(" AND {} IS NOT NULL", column);
  std::vector<ListStatement> parts;
  if (!after) {
    parts = {page.Part(absent, {}), page.Part(present, {})};
    if (descending) std::swap(parts[0], parts[1]);
  } else if ((*after)[0].is_null()) {
    parts.push_back(page.Part(fmt::format("{} AND id {} ?", absent, compare), {(*after)[1]}));
    if (!descending) parts.push_back(page.Part(present, {}));
  } else {
    parts.push_back(
        page.Part(fmt::format(" AND ({}, id) {} (?, ?)", column, compare), {(*after)[0], (*after)[1]}));
    if (descending) parts.push_back(page.Part(absent, {}));
  }
  return parts;
}

}  // namespace

std::string CreateTableSql(std::string_view collection) {
  return fmt::format(
      "CREATE TABLE IF NOT EXISTS record_{} (id TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT",
      collection);
}

std::string IndexName(std::string_view collection, const std::vector<std::string>& fields, bool unique) {
  std::string text = fmt::format("{}", fmt::join(fields, ","));
  return fmt::format("record_{}_{}_{:016x}", collection, unique ? "unique" : "index", Xxh3(text));
}

StatusOr<std::string> CreateIndexSql(std::string_view collection, const std::vector<std::string>& fields,
                                     bool unique) {
  std::string columns;
  bool descending = false;
  for (const std::string& text : fields) {
    ASSIGN_OR_RETURN(FieldPath field, ParseFieldPath(text));
    columns += fmt::format("{}{}{}", columns.empty() ? "" : ", ", FieldSql(field.path),
                           field.descending ? " DESC" : "");
    descending = field.descending;
  }
  if (!unique)
    columns += descending ? ", id DESC" : ", id";  // ties are broken by id, in the last field's direction
  return fmt::format("CREATE {}INDEX IF NOT EXISTS {} ON record_{} ({})", unique ? "UNIQUE " : "",
                     IndexName(collection, fields, unique), collection, columns);
}

std::string PutSql(std::string_view collection) {
  return fmt::format(
      "INSERT INTO record_{} (id, value) VALUES (?,?) ON CONFLICT (id) DO UPDATE SET value = excluded.value",
      collection);
}
std::string FindSql(std::string_view collection) {
  return fmt::format("SELECT value FROM record_{} WHERE id = ?", collection);
}
std::string RemoveSql(std::string_view collection) {
  return fmt::format("DELETE FROM record_{} WHERE id = ?", collection);
}

StatusOr<std::vector<ListStatement>> ListSql(std::string_view collection, const CollectionQuery& query) {
  if (query.limit < 1 || query.limit > 200) return BadQuery("the limit is not within 1–200");
  ASSIGN_OR_RETURN(FieldPath sort, ParseFieldPath(query.sort));
  if (query.after) RETURN_IF_ERROR(CheckAfter(*query.after));
  const bool by_id = sort.path == "id";
  const std::string column = FieldSql(sort.path);
  const char* direction = sort.descending ? " DESC" : "";
  Page page;
  page.head = fmt::format("SELECT id, value FROM record_{} WHERE 1", collection);
  ASSIGN_OR_RETURN(page.filter, FilterSql(query.filter, &page.filter_values));
  page.tail = by_id ? fmt::format(" ORDER BY id{} LIMIT ?", direction)
                    : fmt::format(" ORDER BY {}{}, id{} LIMIT ?", column, direction, direction);
  return by_id ? PageById(page, sort.descending, query.after)
               : PageByField(page, column, sort.descending, query.after);
}

void BindJson(const Json& value, Query& query) {
  if (value.is_string()) {
    query.Add(std::string_view(value.get_ref<const std::string&>()));
  } else if (value.is_boolean()) {
    query.Add(value.get<bool>());
  } else if (value.is_number_float() || (value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX)) {
    query.Add(value.get<double>());
  } else if (value.is_number()) {
    query.Add(value.get<int64_t>());
  } else {
    query.AddNull();
  }
}

}  // namespace mediagen
