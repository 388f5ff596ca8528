// The JSON of records, written without a tree: a page of them is on the hot path. Names are those of
// documents.md and schema/.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "provider/provider.h"
#include "store/records.h"

namespace mediagen {

// Where URLs in records begin: the configured public base ("https://media.example.com"), or the mount prefix
// of the request.
struct UrlBase {
  std::string prefix;  // put before "/v1/…"
};

struct RecordExtras {
  std::optional<int64_t> queue_position;  // 0-based
  std::string as_of;                      // event id; "" leaves the field out (inside a page)
};

// The generation record with its outputs.
void AppendGenerationJson(const Generation& generation, std::span<const Output> outputs, const UrlBase& urls,
                          const RecordExtras& extras, std::string* out);
void AppendOutputJson(const Output& output, const UrlBase& urls, std::string* out);

// What an event says of a generation: its state without the prompt, so that a long prompt is not repeated
// with every step.
std::string GenerationEventJson(const Generation& generation, std::span<const Output> outputs,
                                const UrlBase& urls);

// {"fraction","current","total","message"}
std::string ProgressJson(const Progress& progress);
// A generation's error: {"code","class","message","charged"}.
std::string FailureJson(const Failure& failure, bool charged);

}  // namespace mediagen
