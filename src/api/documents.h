// Record and page documents, as the HTTP routes and the C ABI give them alike.
#pragma once

#include <string>
#include <string_view>

#include "api/http.h"
#include "pipeline/pipeline.h"

namespace mediagen {

// What a principal may see: the host and the role "admin" everything, others what is theirs. A principal
// without a user sees nothing of anybody's.
Viewer ViewerOf(const Principal& principal);

// `resource` is "generations" or "outputs". kNotFound for what the principal may not see; kInvalid for
// another resource.
StatusOr<std::string> GetDocument(Pipeline& pipeline, const Principal& principal, std::string_view resource,
                                  std::string_view id, std::string_view mount);

// documents.md "List query" → "Cursor page", of "generations" or "usage". `secret` signs cursors.
StatusOr<std::string> ListDocument(Pipeline& pipeline, const Principal& principal, std::string_view resource,
                                   std::string_view query_json, std::string_view mount,
                                   std::string_view secret);

// The page behind both: filters, limit and cursor already parsed.
StatusOr<std::string> PageDocument(Pipeline& pipeline, const Viewer& viewer, const GenerationFilter& filter,
                                   int limit, const std::optional<std::string>& cursor,
                                   std::string_view mount, std::string_view secret);

constexpr int kDefaultPage = 20, kLargestPage = 50;

}  // namespace mediagen
