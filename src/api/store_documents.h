// The host's collections as the documents that cross the ABI (docs/documents.md): definitions, batches,
// pages.
//
// Pure functions; thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "jobs/queue.h"
#include "store/store.h"

namespace mediagen {

StatusOr<CollectionDefinition> ParseCollectionText(std::string_view text);

// {"writes": [{"put", "id", "value"} | {"remove", "id"}], "jobs": […]}
struct StoreBatch {
  struct Write {
    std::string collection, id;
    std::string value_json;  // "": a removal
  };
  std::vector<Write> writes;
  std::vector<NewJob> jobs;
  // Whether it only removes: such a batch is taken even when the disk is nearly full.
  bool AddsNothing() const;
};
StatusOr<StoreBatch> ParseStoreBatch(std::string_view text);
// Writes all of it, in order; *result becomes {"jobs": [ids]}. `queues` null: kUnsupported when there are
// jobs.
Status ApplyStoreBatch(Transaction& transaction, Queues* queues, const StoreBatch& batch,
                       std::string* result);

// A JSON array of at most 1,000 ids.
StatusOr<std::vector<std::string>> ParseIdList(std::string_view text);
// The array of their values, null where there is none.
StatusOr<std::string> ValuesDocument(const Snapshot& snapshot, std::string_view collection,
                                     std::span<const std::string> ids);

// {"filter", "sort", "limit", "cursor"}; "" is everything by id. A cursor goes with the filter and the sort
// that it was made by; another limit may be asked for.
StatusOr<CollectionQuery> ParseCollectionQuery(std::string_view collection, std::string_view text);
// {"data": [{"id", "value"}], "pagination": {"hasMore", "nextCursor", "limit"}, "asOf"}
StatusOr<std::string> CollectionPage(const Snapshot& snapshot, std::string_view epoch,
                                     std::string_view collection, const CollectionQuery& query);

}  // namespace mediagen
