#include "base/hash.h"
#include "fmt/format.h"
#include "store/sqlite/collection_sql.h"
#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

// Both seek the primary key.
constexpr char kDefinition[] = "SELECT definition FROM collection WHERE name = ?";
constexpr char kPutDefinition[] = R"sql(INSERT INTO collection (name, definition) VALUES (?,?)
ON CONFLICT (name) DO UPDATE SET definition = excluded.definition)sql";

std::string DefinitionJson(const CollectionDefinition& definition) {
  return Dump(
      Json{{"name", definition.name}, {"indexes", definition.indexes}, {"unique", definition.unique}});
}

Status CheckId(std::string_view id) {
  if (!id.empty() && id.size() <= 128) return OkStatus();
  return Error(Code::kInvalid, fmt::format("\"{}\" is not an id: ids have 1–128 bytes.", Shorten(id, 60)));
}

// SQLite names the index that was violated; we named the index after its fields.
Status UniqueClash(const Connection& connection, std::string_view collection,
                   const CollectionDefinition& definition) {
  for (const auto& fields : definition.unique) {
    if (connection.last_message().find(IndexName(collection, fields, true)) == std::string::npos) continue;
    std::string names = fmt::format("{}", fmt::join(fields, ", "));
    return Error(Code::kConflict,
                 fmt::format("another record of collection \"{}\" has the same {}.", collection, names),
                 {.object = names});
  }
  return Error(Code::kConflict, fmt::format("a unique field of collection \"{}\" is taken.", collection));
}

Status CreateIndex(Connection& connection, std::string_view collection,
                   const std::vector<std::string>& fields, bool unique) {
  ASSIGN_OR_RETURN(std::string sql, CreateIndexSql(collection, fields, unique));
  Status status = connection.Exec(sql.c_str());
  if (CodeOf(status) != Code::kConflict) return status;
  std::string names = fmt::format("{}", fmt::join(fields, ", "));
  return Error(Code::kConflict,
               fmt::format("records of collection \"{}\" share the same {}.", collection, names),
               {.hint = "Remove the duplicates, then define it again.", .object = names});
}

}  // namespace

Status SqliteCollections::RequireDefined(std::string_view collection) const {
  Query query(connection_, kDefinition);
  query.Bind(collection);
  if (query.Step()) return OkStatus();
  RETURN_IF_ERROR(query.status());
  return Error(Code::kNotFound, fmt::format("there is no collection \"{}\".", Shorten(collection, 63)),
               {.hint = "Define it first.", .object = std::string(collection)});
}

Status SqliteCollections::Define(const CollectionDefinition& definition) {
  ASSIGN_OR_RETURN(CollectionDefinition checked,
                   ParseCollection(Json::parse(DefinitionJson(definition), nullptr, false)));
  std::string json = DefinitionJson(checked);
  {
    Query query(connection_, kDefinition);
    query.Bind(checked.name);
    if (query.Step() && query.Text() == json) return OkStatus();
    RETURN_IF_ERROR(query.status());
  }
  RETURN_IF_ERROR(connection_.Exec(CreateTableSql(checked.name).c_str()));
  for (const auto& fields : checked.indexes)
    RETURN_IF_ERROR(CreateIndex(connection_, checked.name, fields, false));
  for (const auto& fields : checked.unique)
    RETURN_IF_ERROR(CreateIndex(connection_, checked.name, fields, true));
  return Query(connection_, kPutDefinition).Bind(checked.name, json).Run();
}

Status SqliteCollections::Put(std::string_view collection, std::string_view id, std::string_view value_json) {
  RETURN_IF_ERROR(RequireDefined(collection));
  RETURN_IF_ERROR(CheckId(id));
  ASSIGN_OR_RETURN(Json value, ParseJson(value_json, "record"));
  if (!value.is_object())
    return Error(Code::kInvalid, "a record is a JSON object.", {.object = std::string(id)});
  Query query(connection_, PutSql(collection));
  query.Bind(id, value_json);
  Status status = query.Run();
  if (CodeOf(status) != Code::kConflict) return status;
  std::string message = connection_.last_message();
  Query definition(connection_, kDefinition);
  definition.Bind(collection);
  if (!definition.Step()) return status;
  ASSIGN_OR_RETURN(CollectionDefinition parsed,
                   ParseCollection(Json::parse(definition.Text(), nullptr, false)));
  return UniqueClash(connection_, collection, parsed);
}

Status SqliteCollections::Remove(std::string_view collection, std::string_view id) {
  RETURN_IF_ERROR(RequireDefined(collection));
  return Query(connection_, RemoveSql(collection)).Bind(id).Run();
}

StatusOr<std::vector<std::optional<std::string>>> SqliteCollections::GetMany(
    std::string_view collection, std::span<const std::string> ids) const {
  RETURN_IF_ERROR(RequireDefined(collection));
  std::vector<std::optional<std::string>> values;
  values.reserve(ids.size());
  std::string sql = FindSql(collection);
  for (const std::string& id : ids) {
    Query query(connection_, sql);
    query.Bind(id);
    std::optional<std::string>& value = values.emplace_back();
    if (query.Step()) value = query.Text();
    RETURN_IF_ERROR(query.status());
  }
  return values;
}

StatusOr<std::vector<CollectionRow>> SqliteCollections::List(std::string_view collection,
                                                             const CollectionQuery& query) const {
  RETURN_IF_ERROR(RequireDefined(collection));
  ASSIGN_OR_RETURN(std::vector<ListStatement> statements, ListSql(collection, query));
  const size_t wanted = static_cast<size_t>(query.limit) + 1;
  std::vector<CollectionRow> rows;
  for (const ListStatement& statement : statements) {
    if (rows.size() >= wanted) break;
    Query run(connection_, statement.sql);
    for (const Json& value : statement.values) BindJson(value, run);
    run.Add(static_cast<int64_t>(wanted - rows.size()));
    while (run.Step()) {
      std::string id = run.Text();
      rows.push_back({std::move(id), run.Text()});
    }
    RETURN_IF_ERROR(run.status());
  }
  return rows;
}

}  // namespace mediagen
