#include "provider/embedding/wire_embedder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/base64.h"
#include "fmt/format.h"
#include "provider/wire_adapter.h"

namespace mediagen::embedding {
namespace {

constexpr size_t kMaxDimensions = 65'536;  // the largest models have 4096

static_assert(std::endian::native == std::endian::little && sizeof(float) == 4,
              "vectors come as little-endian floats of 32 bits");

EmbeddingVector Decode(std::string_view base64) {
  StatusOr<std::string> bytes = Base64Decode(base64);
  if (!bytes.ok() || bytes->size() % sizeof(float) != 0 || bytes->size() / sizeof(float) > kMaxDimensions)
    return {};
  EmbeddingVector vector(bytes->size() / sizeof(float));
  if (!vector.empty()) std::memcpy(vector.data(), bytes->data(), bytes->size());
  const bool finite =
      std::all_of(vector.begin(), vector.end(), [](float value) { return std::isfinite(value); });
  return finite ? vector : EmbeddingVector{};
}

Failure Unreadable(std::string_view why) {
  return {.error_class = ErrorClass::kServer,
          .message = fmt::format("The provider's embeddings cannot be read: {}.", why),
          .retryable = true};
}

bool SameSizes(const std::vector<EmbeddingVector>& vectors) {
  return std::all_of(vectors.begin(), vectors.end(), [&](const EmbeddingVector& vector) {
    return !vector.empty() && vector.size() == vectors.front().size();
  });
}

}  // namespace

EmbeddingVector ReadVector(const Json& value) {
  if (value.is_string()) return Decode(value.get_ref<const std::string&>());
  if (!value.is_array() || value.size() > kMaxDimensions) return {};
  EmbeddingVector vector;
  vector.reserve(value.size());
  for (const Json& item : value) {
    const double number = item.is_number() ? item.get<double>() : std::numeric_limits<double>::infinity();
    if (!(std::abs(number) <= std::numeric_limits<float>::max())) return {};
    vector.push_back(static_cast<float>(number));
  }
  return vector;
}

Status WireEmbedder::CheckReady() const {
  if (!config_.api_key.empty() || key_name_.empty()) return OkStatus();
  return Error(Code::kUnauthorized, fmt::format("Provider \"{}\" has no API key.", config_.name),
               {.hint = fmt::format("Set the environment variable {}, or \"apiKey\" in the configuration.",
                                    config_.api_key_env.empty() ? key_name_ : config_.api_key_env)});
}

Status WireEmbedder::Check(std::span<const std::string> texts, std::string_view model, int dimensions) const {
  RETURN_IF_ERROR(CheckReady());
  if (model.empty()) return Error(Code::kInvalid, "An embedding needs a model.");
  if (texts.empty() || texts.size() > max_batch_) {
    return Error(Code::kInvalid, fmt::format("{} texts were given; provider \"{}\" embeds 1 to {} a request.",
                                             texts.size(), config_.name, max_batch_));
  }
  if (dimensions < 0 || static_cast<size_t>(dimensions) > kMaxDimensions)
    return Error(Code::kInvalid, fmt::format("\"dimensions\" is {}; 1 to {}, or 0 for the model's own.",
                                             dimensions, kMaxDimensions));
  const auto empty = std::find(texts.begin(), texts.end(), "");
  if (empty == texts.end()) return OkStatus();
  return Error(Code::kInvalid,
               fmt::format("Text {} is empty; there is nothing to embed.", empty - texts.begin() + 1));
}

HttpRequest WireEmbedder::Post(std::string_view path, const Json& body) const {
  HttpRequest request = endpoint_.Plain("POST", endpoint_.base() + std::string(path));
  AddHeaders(&request);
  request.headers.emplace_back("Accept", "application/json");
  request.headers.emplace_back("Content-Type", "application/json");
  request.stall_timeout_ms = config_.timeout_ms;  // a slow machine is silent until all vectors are there
  request.max_body_bytes = kAnswerLimits.max_bytes;
  request.body = Dump(body);
  return request;
}

EmbedAnswer WireEmbedder::ParseEmbed(const HttpResponse& response, size_t count) const {
  EmbedAnswer answer;
  if (!IsSuccess(response)) {
    answer.failure = ReadFailure(response);
    return answer;
  }
  answer.failure = Unreadable("they are not as many as the texts, or no vectors");
  StatusOr<Json> document = ParseJson(response.body, "the provider's answer", kAnswerLimits);
  if (!document.ok()) {
    answer.failure = Unreadable(InfoOf(document.status()).message);
    return answer;
  }
  Read(*document, count, &answer);
  if (answer.vectors.size() == count && count > 0 && SameSizes(answer.vectors)) {
    answer.ok = true;
    answer.failure = {};
  } else {
    answer.vectors.clear();
  }
  return answer;
}

}  // namespace mediagen::embedding
