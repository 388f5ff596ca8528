#include "api/store_documents.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "api/queue_documents.h"
#include "base/base64.h"
#include "base/hash.h"
#include "base/json.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr size_t kMaxItems =
    1000;  // of one batch or one list of ids: one transaction holds the writer for all of them
constexpr size_t kMaxBatch = 16 << 20;  // bytes
constexpr size_t kMaxValue = 1 << 20;   // bytes; larger things are blobs
constexpr std::string_view kCursorVersion = "c1.";

Status CheckId(std::string_view id) {
  if (!id.empty() && id.size() <= 128) return OkStatus();
  return Error(Code::kInvalid, fmt::format("An id of {} bytes was given; 1 to 128 are taken.", id.size()));
}

StatusOr<StoreBatch::Write> ParseWrite(const Json& json, size_t index) {
  StoreBatch::Write write;
  std::string what = fmt::format("Write {}", index), put, remove;
  FieldReader fields(json, what);
  fields.String("put", &put, {.max_bytes = 64});
  fields.String("remove", &remove, {.max_bytes = 64});
  fields.String("id", &write.id, {.required = true, .max_bytes = 128});
  const Json* value = fields.Take("value");
  RETURN_IF_ERROR(fields.Finish());
  if (put.empty() == remove.empty()) {
    return Error(Code::kInvalid, fmt::format("{} must have either \"put\" or \"remove\".", what));
  }
  if (!remove.empty()) {
    if (value != nullptr)
      return Error(Code::kInvalid, fmt::format("{} removes; it must not have a \"value\".", what));
    write.collection = std::move(remove);
    return write;
  }
  if (value == nullptr || !value->is_object()) {
    return Error(Code::kInvalid, fmt::format("{} must have a \"value\" that is an object.", what),
                 {.object = write.id});
  }
  write.collection = std::move(put);
  write.value_json = Dump(*value);
  if (write.value_json.size() > kMaxValue) {
    return Error(Code::kTooLarge,
                 fmt::format("The value of {} has {} bytes; at most {} are taken.", what,
                             write.value_json.size(), kMaxValue),
                 {.hint = "Store it as a blob and keep its id.", .object = write.id});
  }
  return write;
}

// What a cursor is bound to: the rows that it goes on through, and their order.
std::string QueryHash(std::string_view collection, const CollectionQuery& query) {
  return fmt::format("{:016x}", Xxh3(fmt::format("{}\n{}\n{}", collection, query.sort, Dump(query.filter))));
}

// The value under a field path ("a.b") of a row, null where there is none.
Json ValueAt(const Json& row, std::string_view path) {
  const Json* at = &row;
  for (size_t begin = 0; begin <= path.size();) {
    size_t end = std::min(path.find('.', begin), path.size());
    if (!at->is_object()) return nullptr;
    auto it = at->find(path.substr(begin, end - begin));
    if (it == at->end()) return nullptr;
    at = &*it;
    begin = end + 1;
  }
  return *at;
}

StatusOr<std::string> MakeCursor(std::string_view collection, const CollectionQuery& query,
                                 const CollectionRow& last) {
  ASSIGN_OR_RETURN(FieldPath sort, ParseFieldPath(query.sort));
  Json key = last.id;
  if (sort.path != "id") {
    ASSIGN_OR_RETURN(Json row, ParseJson(last.value_json, "A stored value", {.max_bytes = 2 * kMaxValue}));
    key = ValueAt(row, sort.path);
    if (key.is_structured()) key = Dump(key);  // the store sorts these by their text
  }
  std::string position = Dump(Json::array({std::move(key), last.id}));
  return fmt::format("{}{}.{}", kCursorVersion, QueryHash(collection, query), Base64UrlEncode(position));
}

StatusOr<Json> ReadCursor(std::string_view collection, const CollectionQuery& query,
                          std::string_view cursor) {
  Status broken = Error(Code::kInvalid, "\"cursor\" is not one of this list's.",
                        {.hint = "Pass nextCursor as it came, or null to begin anew.", .object = "cursor"});
  if (!cursor.starts_with(kCursorVersion)) return broken;
  cursor.remove_prefix(kCursorVersion.size());
  size_t dot = cursor.find('.');
  if (dot == std::string_view::npos) return broken;
  if (cursor.substr(0, dot) != QueryHash(collection, query)) {
    return Error(Code::kInvalid, "\"cursor\" belongs to another collection, filter or sort.",
                 {.hint = "Ask with the query that the cursor came from, or pass null to begin anew.",
                  .object = "cursor"});
  }
  StatusOr<std::string> bytes = Base64UrlDecode(cursor.substr(dot + 1));
  if (!bytes.ok()) return broken;
  StatusOr<Json> position = ParseJson(*bytes, "cursor");
  bool fits = position.ok() && position->is_array() && position->size() == 2 &&
              !(*position)[0].is_structured() && (*position)[1].is_string();
  if (!fits) return broken;
  return position;
}

}  // namespace

StatusOr<CollectionDefinition> ParseCollectionText(std::string_view text) {
  ASSIGN_OR_RETURN(Json json, ParseJson(text, "The collection"));
  return ParseCollection(json);
}

bool StoreBatch::AddsNothing() const {
  return jobs.empty() && std::all_of(writes.begin(), writes.end(),
                                     [](const Write& write) { return write.value_json.empty(); });
}

StatusOr<StoreBatch> ParseStoreBatch(std::string_view text) {
  ASSIGN_OR_RETURN(Json json, ParseJson(text, "The batch", {.max_bytes = kMaxBatch}));
  Json writes = Json::array(), jobs = Json::array();
  FieldReader fields(json, "The batch");
  fields.Array("writes", &writes, kMaxItems);
  fields.Array("jobs", &jobs, kMaxItems);
  RETURN_IF_ERROR(fields.Finish());
  StoreBatch batch;
  for (const Json& item : writes) {
    ASSIGN_OR_RETURN(StoreBatch::Write write, ParseWrite(item, batch.writes.size()));
    batch.writes.push_back(std::move(write));
  }
  for (const Json& item : jobs) {
    ASSIGN_OR_RETURN(NewJob job, ParseNewJob(item, fmt::format("Job {}", batch.jobs.size())));
    batch.jobs.push_back(std::move(job));
  }
  return batch;
}

Status ApplyStoreBatch(Transaction& transaction, Queues* queues, const StoreBatch& batch,
                       std::string* result) {
  if (queues == nullptr && !batch.jobs.empty()) {
    return Error(Code::kUnsupported, "This store was opened without queues; its batches hold no jobs.",
                 {.hint = "Use the store of an engine, or open a queue over the same data directory."});
  }
  for (const StoreBatch::Write& write : batch.writes) {
    if (write.value_json.empty()) {
      RETURN_IF_ERROR(transaction.collections().Remove(write.collection, write.id));
    } else {
      RETURN_IF_ERROR(transaction.collections().Put(write.collection, write.id, write.value_json));
    }
  }
  std::vector<Id> ids;
  if (!batch.jobs.empty()) {
    ASSIGN_OR_RETURN(ids, EnqueueAll(transaction, *queues, batch.jobs));
  }
  *result = JobIdsDocument(ids);
  return OkStatus();
}

StatusOr<std::vector<std::string>> ParseIdList(std::string_view text) {
  ASSIGN_OR_RETURN(Json json, ParseJson(text, "The list of ids"));
  if (!json.is_array() || json.size() > kMaxItems) {
    return Error(Code::kInvalid,
                 fmt::format("The list of ids must be a JSON array of at most {} strings.", kMaxItems));
  }
  std::vector<std::string> ids;
  for (const Json& item : json) {
    if (!item.is_string())
      return Error(Code::kInvalid, fmt::format("Item {} of the list of ids is not a string.", ids.size()));
    RETURN_IF_ERROR(CheckId(item.get_ref<const std::string&>()));
    ids.push_back(item.get<std::string>());
  }
  return ids;
}

StatusOr<std::string> ValuesDocument(const Snapshot& snapshot, std::string_view collection,
                                     std::span<const std::string> ids) {
  ASSIGN_OR_RETURN(auto values, snapshot.collections().GetMany(collection, ids));
  std::string out = "[";
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    out += values[i] ? *values[i] : "null";
  }
  return out + "]";
}

StatusOr<CollectionQuery> ParseCollectionQuery(std::string_view collection, std::string_view text) {
  CollectionQuery query;
  if (Trim(text).empty()) return query;
  ASSIGN_OR_RETURN(Json json, ParseJson(text, "The list query"));
  FieldReader fields(json, "The list query");
  int64_t limit = query.limit;
  std::string cursor;
  fields.Object("filter", &query.filter);
  fields.String("sort", &query.sort, {.max_bytes = 256});
  fields.Int("limit", &limit, 1, 200);
  fields.String("cursor", &cursor, {.max_bytes = 8192});
  RETURN_IF_ERROR(fields.Finish());
  query.limit = static_cast<int>(limit);
  if (!cursor.empty()) {
    ASSIGN_OR_RETURN(query.after, ReadCursor(collection, query, cursor));
  }
  return query;
}

StatusOr<std::string> CollectionPage(const Snapshot& snapshot, std::string_view epoch,
                                     std::string_view collection, const CollectionQuery& query) {
  ASSIGN_OR_RETURN(std::vector<CollectionRow> rows, snapshot.collections().List(collection, query));
  ASSIGN_OR_RETURN(int64_t as_of, snapshot.AsOf());
  const size_t limit = static_cast<size_t>(query.limit);
  const bool more = rows.size() > limit;
  if (more) rows.resize(limit);
  std::string out = R"({"data":[)";
  for (size_t i = 0; i < rows.size(); ++i) {
    out += i == 0 ? R"({"id":)" : R"(,{"id":)";
    AppendJsonString(rows[i].id, &out);
    out += R"(,"value":)";
    out += rows[i].value_json;
    out += '}';
  }
  std::string cursor = "null";
  if (more) {
    ASSIGN_OR_RETURN(std::string text, MakeCursor(collection, query, rows.back()));
    cursor = '"' + text + '"';
  }
  fmt::format_to(std::back_inserter(out),
                 R"(],"pagination":{{"hasMore":{},"nextCursor":{},"limit":{}}},"asOf":"{}:{}"}})", more,
                 cursor, limit, epoch, as_of);
  return out;
}

}  // namespace mediagen
