#include <algorithm>
#include <tuple>

#include "fmt/format.h"
#include "store/output_fields.h"
#include "store/sqlite/columns.h"
#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

#define COLUMNS                                                                                       \
  "id, generation, user, number, part, try, source, kind, media_type, width, height, bytes, sha256, " \
  "blob_key, "                                                                                        \
  "thumb_hash, safety, c2pa, embedded_prompt, visibility, likes, created_ms"

#define REPLACE_ROW                                                                                   \
  "DO UPDATE SET id = excluded.id, generation = excluded.generation, user = excluded.user, number = " \
  "excluded.number, "                                                                                 \
  "part = excluded.part, try = excluded.try, source = excluded.source, kind = excluded.kind, "        \
  "media_type = excluded.media_type, width = excluded.width, height = excluded.height, bytes = "      \
  "excluded.bytes, "                                                                                  \
  "sha256 = excluded.sha256, blob_key = excluded.blob_key, thumb_hash = excluded.thumb_hash, "        \
  "safety = excluded.safety, c2pa = excluded.c2pa, embedded_prompt = excluded.embedded_prompt, "      \
  "visibility = excluded.visibility, likes = excluded.likes, created_ms = excluded.created_ms"

// Seeks the primary key and output_place(generation, part, try, number).
constexpr char kPut[] =
    "INSERT INTO output (" COLUMNS R"sql() VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
ON CONFLICT (id) )sql" REPLACE_ROW R"sql(
ON CONFLICT (generation, part, try, number) WHERE generation IS NOT NULL )sql" REPLACE_ROW;

// Seeks the primary key.
constexpr char kFind[] = "SELECT " COLUMNS " FROM output WHERE id = ?";
// Seeks output_upload(user, sha256).
constexpr char kUploadsOf[] =
    "SELECT " COLUMNS
    " FROM output WHERE user = ? AND sha256 = ? AND source = 'uploaded' ORDER BY id LIMIT 100";
// Seeks output_place(generation, …). Not in the order of the outputs: a sorter costs more than the seek.
constexpr char kOutputsOf[] = "SELECT " COLUMNS " FROM output WHERE generation = ?";
// The same for many in one statement, in less than half of the time: the outer loop is the list of ids in its
// order, NULL where there are fewer.
constexpr size_t kBatch = 32;
const char* OutputsOfBatch() {
  static const auto* sql = [] {
    auto* text = new std::string("WITH wanted (wanted) AS (VALUES (?)");
    for (size_t i = 1; i < kBatch; ++i) *text += ",(?)";
    *text += ") SELECT " COLUMNS " FROM wanted CROSS JOIN output ON generation = wanted";
    return text;
  }();
  return sql->c_str();
}

#define VARIANT_COLUMNS "output, recipe, version, blob_key, media_type, sha256, width, height, bytes, effort"
constexpr auto kVisitVariant = [](auto& v, const auto& visit) {
  visit(v.output), visit(v.recipe), visit(v.version), visit(v.blob_key), visit(v.media_type), visit(v.sha256);
  visit(v.width), visit(v.height), visit(v.bytes), visit(v.effort);
};

// All three seek the primary key (output, recipe).
constexpr char kPutVariant[] = "INSERT INTO variant (" VARIANT_COLUMNS R"sql() VALUES (?,?,?,?,?,?,?,?,?,?)
ON CONFLICT (output, recipe) DO UPDATE SET version = excluded.version, blob_key = excluded.blob_key,
  media_type = excluded.media_type, sha256 = excluded.sha256, width = excluded.width, height = excluded.height,
  bytes = excluded.bytes, effort = excluded.effort)sql";
constexpr char kFindVariant[] = "SELECT " VARIANT_COLUMNS " FROM variant WHERE output = ? AND recipe = ?";
constexpr char kVariantsOf[] = "SELECT " VARIANT_COLUMNS " FROM variant WHERE output = ? ORDER BY recipe";

constexpr char kAddTombstone[] =
    "INSERT INTO blob_tombstone (blob_key, created_ms) VALUES (?, ?) ON CONFLICT (blob_key) DO NOTHING";
// Reads blob_tombstone_age(created_ms) from its beginning.
constexpr char kTombstones[] = "SELECT blob_key FROM blob_tombstone ORDER BY created_ms, blob_key LIMIT ?";
constexpr char kRemoveTombstone[] = "DELETE FROM blob_tombstone WHERE blob_key = ?";

Status Gone(std::string_view what, const Id& id) {
  return Error(Code::kNotFound, fmt::format("there is no {} {}.", what, id.text()), {.object = id.text()});
}

}  // namespace

Status SqliteRecords::PutOutput(const Output& output) {
  Query query(connection_, kPut);
  kVisitOutput(output, Binder{query});
  Status status = query.Run();
  return CodeOf(status) == Code::kNotFound ? Gone("generation", output.generation) : status;
}

StatusOr<std::optional<Output>> SqliteRecords::FindOutput(const Id& id) const {
  Query query(connection_, kFind);
  query.Bind(id);
  return FirstRow<Output>(query, kVisitOutput);
}

StatusOr<std::vector<Output>> SqliteRecords::OutputsOf(std::span<const Id> generations) const {
  std::vector<Output> all;
  all.reserve(generations.size());
  while (!generations.empty()) {
    const bool one = generations.size() == 1;
    const auto batch = generations.first(std::min(generations.size(), kBatch));
    Query query(connection_, one ? kOutputsOf : OutputsOfBatch());
    for (const Id& generation : batch) query.Add(generation);
    while (query.Step()) kVisitOutput(all.emplace_back(), Taker{query});
    RETURN_IF_ERROR(query.status());
    generations = generations.subspan(batch.size());
  }
  // Each generation's rows stand together: only they need an order.
  for (auto begin = all.begin(); begin != all.end();) {
    auto end =
        std::find_if(begin, all.end(), [&](const Output& o) { return o.generation != begin->generation; });
    std::sort(begin, end, [](const Output& a, const Output& b) {
      return std::tie(a.index, a.part, a.attempt_try) < std::tie(b.index, b.part, b.attempt_try);
    });
    begin = end;
  }
  return all;
}

StatusOr<std::vector<Output>> SqliteRecords::UploadsOf(std::string_view user, std::string_view sha256) const {
  Query query(connection_, kUploadsOf);
  query.Bind(user, sha256);
  return AllRows<Output>(query, kVisitOutput);
}

Status SqliteRecords::PutVariant(const Variant& variant) {
  Query query(connection_, kPutVariant);
  kVisitVariant(variant, Binder{query});
  Status status = query.Run();
  return CodeOf(status) == Code::kNotFound ? Gone("output", variant.output) : status;
}

StatusOr<std::optional<Variant>> SqliteRecords::FindVariant(const Id& output, std::string_view recipe) const {
  Query query(connection_, kFindVariant);
  query.Bind(output, recipe);
  return FirstRow<Variant>(query, kVisitVariant);
}

StatusOr<std::vector<Variant>> SqliteRecords::VariantsOf(const Id& output) const {
  Query query(connection_, kVariantsOf);
  query.Bind(output);
  return AllRows<Variant>(query, kVisitVariant);
}

Status SqliteRecords::AddTombstone(std::string_view blob_key, int64_t now_ms) {
  return Query(connection_, kAddTombstone).Bind(blob_key, now_ms).Run();
}

StatusOr<std::vector<std::string>> SqliteRecords::Tombstones(int limit) const {
  Query query(connection_, kTombstones);
  query.Bind(limit);
  std::vector<std::string> keys;
  while (query.Step()) keys.push_back(query.Text());
  RETURN_IF_ERROR(query.status());
  return keys;
}

Status SqliteRecords::RemoveTombstone(std::string_view blob_key) {
  return Query(connection_, kRemoveTombstone).Bind(blob_key).Run();
}

}  // namespace mediagen
