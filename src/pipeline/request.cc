#include "pipeline/request.h"

#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "fmt/format.h"
#include "provider/inline_data.h"
#include "provider/wire_adapter.h"

namespace mediagen {
namespace {

constexpr size_t kMaxPromptBytes = 32 * 1024;
constexpr size_t kMaxRequestBytes = 512 * 1024;  // room for data-URL references; the prompt has its own bound
constexpr size_t kMaxMetadataBytes = 4096;
constexpr size_t kMostFallbacks = 8;

void ReadSeed(FieldReader& fields, std::optional<uint64_t>* seed) {
  const Json* value = fields.Take("seed");
  if (value == nullptr) return;
  if (value->is_number_unsigned() && value->get<uint64_t>() <= (uint64_t{1} << 53) - 1) {
    *seed = value->get<uint64_t>();
    return;
  }
  if (value->is_string()) {
    const auto& text = value->get_ref<const std::string&>();
    uint64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && !text.empty()) {
      *seed = number;
      return;
    }
  }
  fields.Refuse("seed",
                "must be a decimal string up to 18446744073709551615, or a whole number up to 2^53-1");
}

void ReadId(FieldReader& fields, std::string_view name, Id* id) {
  std::string text;
  fields.String(name, &text);
  if (text.empty() || !fields.ok()) return;
  auto parsed = Id::Parse(text);
  if (!parsed.ok()) return fields.Fail(parsed.status());
  *id = *parsed;
}

// Fields of the document that this version refuses rather than ignores.
void RefuseUnsupported(FieldReader& fields) {
  auto unsupported = [&](std::string_view name, std::string_view why) {
    fields.Fail(Error(Code::kUnsupported,
                      fmt::format("\"{}\" in generation request is not supported yet: {}.", name, why),
                      {.object = std::string(name)}));
  };
  if (const Json* reuse = fields.Take("reuse"); reuse != nullptr && *reuse != Json(false)) {
    unsupported("reuse", "every request makes new pictures");
  }
  if (fields.Take("webhookUrl") != nullptr) unsupported("webhookUrl", "subscribe to events instead");
}

void ReadFallback(FieldReader& fields, std::vector<Choice>* fallback) {
  Json list = Json::array();
  fields.Array("fallback", &list, kMostFallbacks);
  for (const Json& item : list) {
    FieldReader inner(item, "\"fallback\" in generation request");
    Choice choice;
    inner.String("provider", &choice.provider, {.required = true, .max_bytes = 64});
    inner.String("model", &choice.model, {.max_bytes = 256});
    Status read = inner.Finish();
    if (!read.ok()) return fields.Fail(read);
    fallback->push_back(std::move(choice));
  }
}

Json FallbackJson(const std::vector<Choice>& fallback) {
  Json list = Json::array();
  for (const Choice& choice : fallback)
    list.push_back({{"provider", choice.provider}, {"model", choice.model}});
  return list;
}

constexpr std::string_view kRoles[] = {"mask", "firstFrame", "lastFrame"};

// {"url": "https://…" | "data:image/…;base64,…"} or {"output": "<id>"}, each with a "role" or without.
bool IsReference(const Json& reference) {
  if (!reference.is_object()) return false;
  const std::string url = TextOf(reference, "url"), output = TextOf(reference, "output");
  const std::string role = TextOf(reference, "role");
  if (reference.size() != (reference.contains("role") ? 2u : 1u)) return false;
  if (reference.contains("role") && std::find(std::begin(kRoles), std::end(kRoles), role) == std::end(kRoles))
    return false;
  if (!output.empty()) return Id::Parse(output).ok();
  return DataUriOutput(url).has_value() || ParseUrl(url).ok();
}

void ReadReferences(FieldReader& fields, GenerationRequest* request) {
  fields.Array("references", &request->references, 16);
  for (const Json& reference : request->references) {
    if (IsReference(reference)) continue;
    return fields.Refuse(
        "references",
        "must hold objects like {\"url\": \"https://…\"} (or a base64 data URI of a picture) or "
        "{\"output\": \"<id>\"}, and \"role\" is mask, firstFrame or lastFrame");
  }
}

Reference ReferenceOf(const Json& json) {
  Reference reference;
  reference.role = TextOf(json, "role");
  const std::string url = TextOf(json, "url");
  if (auto output = Id::Parse(TextOf(json, "output")); output.ok()) {
    reference.output = *output;
  } else if (auto inlined = DataUriOutput(url)) {
    reference.bytes = inlined->bytes;
    reference.media_type = inlined->media_type;
  } else {
    reference.url = url;
  }
  return reference;
}

}  // namespace

StatusOr<GenerationRequest> ParseGenerationRequest(std::string_view text,
                                                   const std::optional<std::string>& user,
                                                   const std::optional<std::string>& idempotency_key) {
  // An oversized prompt alone is told as such; only what is far past it is refused unread.
  ASSIGN_OR_RETURN(Json json, ParseJson(text, "generation request", kRequestLimits));
  GenerationRequest request;
  FieldReader fields(json, "generation request");
  fields.String("user", &request.user, {.max_bytes = 128});
  if (user) request.user = *user;
  if (fields.ok() && request.user.empty())
    fields.Refuse("user", "is required: an opaque id of yours, 1 to 128 bytes");
  fields.String("provider", &request.provider, {.required = true, .max_bytes = 64});
  fields.String("model", &request.model, {.max_bytes = 256});
  fields.String("kind", &request.kind, {.one_of = {"image", "video"}});
  fields.String("prompt", &request.prompt, {.required = true, .max_bytes = kMaxPromptBytes});
  fields.String("negativePrompt", &request.negative_prompt, {.max_bytes = kMaxPromptBytes});
  int64_t n = 1, priority = 0;
  fields.Int("n", &n, 1, 16);
  fields.String("size", &request.size, {.max_bytes = 32});
  fields.String("aspectRatio", &request.aspect_ratio, {.max_bytes = 16});
  ReadSeed(fields, &request.seed);
  ReadReferences(fields, &request);
  fields.Object("options", &request.options);
  fields.Int("priority", &priority, -100, 100);
  fields.Int("deadlineMs", &request.deadline_ms, 1000, int64_t{7} * 86'400'000);
  ReadId(fields, "project", &request.project);
  ReadId(fields, "session", &request.session);
  fields.String("visibility", &request.visibility, {.one_of = {"private", "group", "public"}});
  fields.String("externalId", &request.external_id, {.max_bytes = 256});
  fields.Object("metadata", &request.metadata);
  if (fields.ok() && Dump(request.metadata).size() > kMaxMetadataBytes)
    fields.Refuse("metadata", "may have at most 4096 bytes");
  fields.String("idempotencyKey", &request.idempotency_key, {.max_bytes = 255});
  if (idempotency_key) request.idempotency_key = *idempotency_key;
  ReadFallback(fields, &request.fallback);
  RefuseUnsupported(fields);
  RETURN_IF_ERROR(fields.Finish());
  if (text.size() > kMaxRequestBytes) {
    return Error(Code::kTooLarge, fmt::format("generation request has {} bytes; at most {} are taken.",
                                              text.size(), kMaxRequestBytes));
  }
  if (!request.size.empty() && !request.aspect_ratio.empty()) {
    return Error(Code::kInvalid, "\"size\" and \"aspectRatio\" are both given; only one of them can hold.",
                 {.object = "aspectRatio"});
  }
  request.n = static_cast<int>(n);
  request.priority = static_cast<int>(priority);
  return request;
}

std::string RequestJson(const GenerationRequest& request) {
  Json json = {{"prompt", request.prompt},        {"n", request.n},         {"kind", request.kind},
               {"provider", request.provider},    {"model", request.model}, {"options", request.options},
               {"references", request.references}};
  if (!request.fallback.empty()) json["fallback"] = FallbackJson(request.fallback);
  if (!request.negative_prompt.empty()) json["negativePrompt"] = request.negative_prompt;
  if (!request.size.empty()) json["size"] = request.size;
  if (!request.aspect_ratio.empty()) json["aspectRatio"] = request.aspect_ratio;
  if (request.seed) json["seed"] = std::to_string(*request.seed);
  return Dump(json);
}

StatusOr<GenerationRequest> RequestFromJson(std::string_view text) {
  ASSIGN_OR_RETURN(Json json, ParseJson(text, "stored request", {.max_bytes = 8 << 20}));
  GenerationRequest request;
  FieldReader fields(json, "stored request");
  fields.String("provider", &request.provider);
  ReadFallback(fields, &request.fallback);
  fields.String("prompt", &request.prompt, {.max_bytes = kMaxPromptBytes});
  fields.String("negativePrompt", &request.negative_prompt, {.max_bytes = kMaxPromptBytes});
  int64_t n = 1;
  fields.Int("n", &n, 1, 16);
  fields.String("kind", &request.kind);
  fields.String("model", &request.model);
  fields.String("size", &request.size);
  fields.String("aspectRatio", &request.aspect_ratio);
  fields.Object("options", &request.options);
  fields.Array("references", &request.references, 16);
  ReadSeed(fields, &request.seed);
  RETURN_IF_ERROR(fields.Finish());
  request.n = static_cast<int>(n);
  return request;
}

std::string GenerationRequest::BodyHash() const {
  Json json = Json::parse(RequestJson(*this));
  json["priority"] = priority;
  json["deadlineMs"] = deadline_ms;
  json["project"] = project.text();
  json["session"] = session.text();
  json["visibility"] = visibility;
  json["externalId"] = external_id;
  json["metadata"] = metadata;
  return Hex(Sha256(Dump(json)));
}

Choice GenerationRequest::ChoiceAt(int n) const {
  return n <= 0 || n >= choices() ? Choice{provider, model} : fallback[static_cast<size_t>(n) - 1];
}

bool SameInputs(std::string_view request_json, std::string_view other_json) {
  if (request_json == other_json) return true;
  Json one = Json::parse(request_json, nullptr, false), other = Json::parse(other_json, nullptr, false);
  if (!one.is_object() || !other.is_object()) return false;
  for (Json* json : {&one, &other}) {
    for (const char* where : {"provider", "model", "fallback"}) json->erase(where);
  }
  return one == other;
}

PartRequest PartOf(const GenerationRequest& request, int first_index, int n, int choice) {
  PartRequest part;
  const Choice at = request.ChoiceAt(choice);
  part.model = at.model;
  part.kind = request.kind;
  part.prompt = request.prompt;
  part.negative_prompt = request.negative_prompt;
  part.size = request.size;
  part.aspect_ratio = request.aspect_ratio;
  if (request.seed) part.seed = *request.seed + static_cast<uint64_t>(first_index);
  part.n = n;
  for (const Json& reference : request.references) part.references.push_back(ReferenceOf(reference));
  if (at.provider == request.provider) part.options = request.options;
  return part;
}

}  // namespace mediagen
