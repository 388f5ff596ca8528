// A generation request, parsed and checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/json.h"
#include "provider/provider.h"
#include "store/records.h"

namespace mediagen {

// A provider and one of its models.
struct Choice {
  std::string provider, model;
};

struct GenerationRequest {
  std::string user, provider, model, kind = "image", prompt, negative_prompt, size, aspect_ratio;
  int n = 1;
  std::optional<uint64_t> seed;
  Json references = Json::array(), options = Json::object(), metadata = Json::object();
  int priority = 0;
  int64_t deadline_ms = 600'000;
  Id project, session;  // empty: none
  std::string visibility = "private", external_id, idempotency_key;
  std::vector<Choice> fallback;  // taken in this order when a provider certainly refused

  // How many providers it names, and the n-th of them: 0 is its own, the others are fallbacks.
  int choices() const { return 1 + static_cast<int>(fallback.size()); }
  Choice ChoiceAt(int n) const;

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
// A reference to a stored output is left with its id in `output` for the pipeline to read. `choice`: for
// which of its providers; options are for the request's own provider alone.
PartRequest PartOf(const GenerationRequest& request, int first_index, int n, int choice = 0);

// Whether two stored requests ask a provider for the same, whatever else they name.
bool SameInputs(std::string_view request_json, std::string_view other_json);

}  // namespace mediagen
