#include "pipeline/documents.h"

#include <array>

#include "base/clock.h"
#include "fmt/format.h"
#include "media/recipe.h"

namespace mediagen {
namespace {

// Writes "key": values into one growing string.
class Object {
 public:
  explicit Object(std::string* out) : out_(out) { out_->push_back('{'); }
  void Close() { out_->push_back('}'); }

  void Text(std::string_view key, std::string_view value) {
    Key(key);
    AppendJsonString(value, out_);
  }
  void TextOrNull(std::string_view key, std::string_view value) {
    value.empty() ? Raw(key, "null") : Text(key, value);
  }
  // `value` is JSON already, or "" for null.
  void Raw(std::string_view key, std::string_view value) {
    Key(key);
    out_->append(value.empty() ? std::string_view("null") : value);
  }
  void Number(std::string_view key, int64_t value) {
    Key(key);
    fmt::format_to(std::back_inserter(*out_), "{}", value);
  }
  void Time(std::string_view key, int64_t wall_ms) {
    wall_ms < 0 ? Raw(key, "null") : Text(key, FormatTime(wall_ms));
  }
  void IdOrNull(std::string_view key, const Id& id) { id.empty() ? Raw(key, "null") : Text(key, id.text()); }
  std::string* Begin(std::string_view key) {
    Key(key);
    return out_;
  }

 private:
  void Key(std::string_view key) {
    if (!first_) out_->push_back(',');
    first_ = false;
    out_->push_back('"');
    out_->append(key);
    out_->append("\":");
  }
  std::string* out_;
  bool first_ = true;
};

void AppendCost(const Generation& generation, Object* object) {
  if (generation.cost_micros < 0) return object->Raw("cost", "null");
  object->Raw("cost", fmt::format(R"({{"amount":"{}","currency":"USD","source":"{}"}})",
                                  FormatMicros(generation.cost_micros), generation.cost_source));
}

void AppendOutputs(std::span<const Output> outputs, const UrlBase& urls, Object* object) {
  std::string* out = object->Begin("outputs");
  out->push_back('[');
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (i > 0) out->push_back(',');
    AppendOutputJson(outputs[i], urls, out);
  }
  out->push_back(']');
}

void AppendImageUrls(const Output& output, const UrlBase& urls, Object* object) {
  const std::string id = output.id.text();
  object->Text("previewUrl", fmt::format("{}/v1/images/{}/preview?v={}", urls.prefix, id,
                                         VariantVersion(output.sha256, PreviewRecipe())));
  std::string* out = object->Begin("thumbnails");
  out->push_back('{');
  bool first = true;
  for (uint32_t side : {150u, 300u, 600u}) {
    Recipe recipe{side, side, Fit::kCover, Format::kJpeg, 85};
    fmt::format_to(std::back_inserter(*out),
                   R"({}"{}":"{}/v1/images/{}/image?w={}&h={}&fit=cover&format=jpeg&v={}")", first ? "" : ",",
                   side, urls.prefix, id, side, side, VariantVersion(output.sha256, recipe));
    first = false;
  }
  out->push_back('}');
}

}  // namespace

std::string FormatMicros(int64_t micros) {
  std::string text = fmt::format("{}.{:06}", micros / 1'000'000, micros % 1'000'000);
  while (text.back() == '0' && text[text.size() - 2] != '.') text.pop_back();
  return text;
}

std::string ProgressJson(const Progress& progress) {
  std::string out;
  Object object(&out);
  object.Raw("fraction", progress.fraction ? fmt::format("{:.4}", *progress.fraction) : "");
  object.Raw("current", progress.current ? std::to_string(*progress.current) : "");
  object.Raw("total", progress.total ? std::to_string(*progress.total) : "");
  object.TextOrNull("message", progress.message);
  object.Close();
  return out;
}

std::string FailureJson(const Failure& failure, bool charged) {
  std::string out;
  Object object(&out);
  object.Text("code", CodeName(CodeOf(failure)));
  object.Text("class", ErrorClassName(failure.error_class));
  object.Text("message", failure.message);
  object.Raw("charged", charged ? "true" : "false");
  object.Close();
  return out;
}

void AppendOutputJson(const Output& output, const UrlBase& urls, std::string* out) {
  Object object(out);
  object.Text("id", output.id.text());
  object.IdOrNull("generation", output.generation);
  object.Number("index", output.index);
  object.Text("source", output.source);
  object.Text("kind", output.kind);
  object.Text("mediaType", output.media_type);
  object.Number("width", output.width);
  object.Number("height", output.height);
  object.Number("bytes", output.bytes);
  object.Text("sha256", output.sha256);
  object.TextOrNull("thumbHash", output.thumb_hash);
  object.Text("safety", output.safety);
  std::string* provenance = object.Begin("provenance");
  Object inner(provenance);
  inner.Raw("c2pa", output.c2pa ? "true" : "false");
  inner.TextOrNull("prompt", output.embedded_prompt);
  inner.Close();
  object.Text("url", fmt::format("{}/v1/outputs/{}/content?v={}", urls.prefix, output.id.text(),
                                 OriginalVersion(output.sha256)));
  if (output.kind == "image") {
    AppendImageUrls(output, urls, &object);
  } else {
    object.Raw("previewUrl", "null");
    object.Raw("thumbnails", "{}");
  }
  object.Number("likes", output.likes);
  object.Raw("liked", "false");
  object.Time("createdAt", output.created_ms);
  object.Close();
}

void AppendGenerationJson(const Generation& generation, std::span<const Output> outputs, const UrlBase& urls,
                          const RecordExtras& extras, std::string* out) {
  Object object(out);
  object.Text("id", generation.id.text());
  object.Text("user", generation.user);
  object.Text("status", StatusName(generation.status));
  object.TextOrNull("stage", generation.stage);
  object.Text("provider", generation.provider);
  object.Text("model", generation.model);
  object.Text("kind", generation.kind);
  object.Text("prompt", generation.prompt);
  object.Number("n", generation.n);
  object.TextOrNull("seed", generation.seed);
  object.Raw("progress", generation.progress_json);
  object.Raw("queuePosition", extras.queue_position ? std::to_string(*extras.queue_position) : "");
  AppendOutputs(outputs, urls, &object);
  object.Raw("error", generation.error_json);
  AppendCost(generation, &object);
  object.Number("attempts", generation.attempts);
  object.Number("likes", generation.likes);
  object.Number("shares", generation.shares);
  object.Text("visibility", generation.visibility);
  object.IdOrNull("project", generation.project);
  object.IdOrNull("session", generation.session);
  object.TextOrNull("externalId", generation.external_id);
  object.Raw("metadata", generation.metadata_json);
  object.Time("createdAt", generation.created_ms);
  object.Time("startedAt", generation.started_ms);
  object.Time("completedAt", generation.completed_ms);
  if (!extras.as_of.empty()) object.Text("asOf", extras.as_of);
  object.Close();
}

std::string GenerationEventJson(const Generation& generation, std::span<const Output> outputs,
                                const UrlBase& urls) {
  std::string out;
  Object object(&out);
  object.Text("id", generation.id.text());
  object.Text("status", StatusName(generation.status));
  object.TextOrNull("stage", generation.stage);
  object.Raw("progress", generation.progress_json);
  AppendOutputs(outputs, urls, &object);
  object.Raw("error", generation.error_json);
  AppendCost(generation, &object);
  object.Close();
  return out;
}

}  // namespace mediagen
