// A generation request, parsed and checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/id.h"
#include "base/json.h"
#include "provider/provider.h"
#include "store/records.h"

namespace mediagen {

struct GenerationRequest {
  std::string user, provider, model, kind = "image", prompt, negative_prompt, size, aspect_ratio;
  int n = 1;
  std::optional<uint64_t> seed;
  Json references = Json::array(), options = Json::object(), metadata = Json::object();
  int priority = 0;
  int64_t deadline_ms = 600'000;
  Id project, session;  // empty: none
  std::string visibility = "private", external_id, idempotency_key;

  // SHA-256 (hex) of the normalised request without its idempotency key: what "another body" is judged by.
  std::string BodyHash() const;
};

// What a generation request's JSON may be at most; the prompt has a bound of its own, so that a long one is
// told as such.
inline constexpr JsonLimits kRequestLimits{.max_bytes = 8 << 20, .max_depth = 32};

// Takes the documents.md generation request. `user`, when given, is the principal's and overrides the
// document's. Every refusal names the field.
StatusOr<GenerationRequest> ParseGenerationRequest(std::string_view json,
                                                   const std::optional<std::string>& user,
                                                   const std::optional<std::string>& idempotency_key);

// What the later steps need, kept with the generation; and back.
std::string RequestJson(const GenerationRequest& request);
StatusOr<GenerationRequest> RequestFromJson(std::string_view json);

// One provider request's share: `part` of the request's parts, each of at most `max_n` pictures. Seeds of
// later pictures count up from the first.
// A reference to a stored output is left with its id in `output` for the pipeline to read.
PartRequest PartOf(const GenerationRequest& request, int first_index, int n);

}  // namespace mediagen
