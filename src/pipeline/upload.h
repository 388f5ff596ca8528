// What the ways of uploading share: the row of what was brought, and what is written with it.
//
// Thread-safe: no state.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "pipeline/pipeline.h"

namespace mediagen {

// The row of an upload, its blob under UploadKey.
Output UploadedOutput(const PipelineParts& parts, const NewUpload& upload, const Id& id,
                      const Inspected& found, uint64_t bytes);

// The upload that stands for these bytes already, if it may.
StatusOr<std::optional<Output>> SameUpload(const Records& records, const NewUpload& upload,
                                           std::string_view sha256);

// Row, event and the job that makes the thumbnails.
Status AcceptUpload(const PipelineParts& parts, Transaction& transaction, const Output& output);

}  // namespace mediagen
