#include "pipeline/documents.h"

#include "base/json_writer.h"
#include "base/money.h"
#include "fmt/format.h"
#include "media/recipe.h"

namespace mediagen {
namespace {

void WriteCost(const Generation& generation, JsonWriter* json) {
  if (generation.cost_micros < 0) return json->Raw("cost", "null");
  json->Key("cost");
  json->BeginObject();
  json->Text("amount", FormatMicros(generation.cost_micros));
  json->Text("currency", "USD");
  json->Text("source", generation.cost_source);
  json->EndObject();
}

void WriteUrl(const UrlBase& urls, std::string_view kind, const Id& id, std::string_view rest,
              std::string_view version, JsonWriter* json) {
  json->Put('"');
  json->Plain(urls.prefix);
  json->Plain(kind);
  json->PlainId(id);
  json->Plain(rest);
  json->Plain(version);
  json->Put('"');
}

void WriteImageUrls(const Output& output, const UrlBase& urls, JsonWriter* json) {
  constexpr std::string_view kImages = "/v1/images/";
  static const Recipe kSmall{150, 150, Fit::kCover, Format::kJpeg, 85},
      kMiddle{300, 300, Fit::kCover, Format::kJpeg, 85}, kLarge{600, 600, Fit::kCover, Format::kJpeg, 85};
  json->Key("previewUrl");
  WriteUrl(urls, kImages, output.id, "/preview?v=", VariantVersion(output.sha256, PreviewRecipe()), json);
  json->Key("thumbnails");
  json->BeginObject();
  json->Key("150");
  WriteUrl(urls, kImages, output.id,
           "/image?w=150&h=150&fit=cover&format=jpeg&v=", VariantVersion(output.sha256, kSmall), json);
  json->Key("300");
  WriteUrl(urls, kImages, output.id,
           "/image?w=300&h=300&fit=cover&format=jpeg&v=", VariantVersion(output.sha256, kMiddle), json);
  json->Key("600");
  WriteUrl(urls, kImages, output.id,
           "/image?w=600&h=600&fit=cover&format=jpeg&v=", VariantVersion(output.sha256, kLarge), json);
  json->EndObject();
}

void WriteOutput(const Output& output, const UrlBase& urls, JsonWriter* json) {
  json->BeginObject();
  json->IdOrNull("id", output.id);
  json->IdOrNull("generation", output.generation);
  json->Number("index", output.index);
  json->Text("source", output.source);
  json->Text("kind", output.kind);
  json->Text("mediaType", output.media_type);
  json->Number("width", output.width);
  json->Number("height", output.height);
  json->Number("bytes", static_cast<int64_t>(output.bytes));
  json->Text("sha256", output.sha256);
  json->TextOrNull("thumbHash", output.thumb_hash);
  json->Text("safety", output.safety);
  json->Key("provenance");
  json->BeginObject();
  json->Bool("c2pa", output.c2pa);
  json->TextOrNull("prompt", output.embedded_prompt);
  json->EndObject();
  json->Key("url");
  WriteUrl(urls, "/v1/outputs/", output.id, "/content?v=", OriginalVersion(output.sha256), json);
  if (output.kind == "image") {
    WriteImageUrls(output, urls, json);
  } else {
    json->Raw("previewUrl", "null");
    json->Raw("thumbnails", "{}");
  }
  json->Number("likes", output.likes);
  json->Bool("liked", false);
  json->Time("createdAt", output.created_ms);
  json->EndObject();
}

void WriteOutputs(std::span<const Output> outputs, const UrlBase& urls, JsonWriter* json) {
  json->Key("outputs");
  json->BeginArray();
  for (const Output& output : outputs) {
    json->Element();
    WriteOutput(output, urls, json);
  }
  json->EndArray();
}

}  // namespace

std::string ProgressJson(const Progress& progress) {
  std::string out;
  {
    JsonWriter json(&out);
    json.BeginObject();
    json.Raw("fraction", progress.fraction ? fmt::format("{:.4}", *progress.fraction) : "");
    json.Raw("current", progress.current ? std::to_string(*progress.current) : "");
    json.Raw("total", progress.total ? std::to_string(*progress.total) : "");
    json.TextOrNull("message", progress.message);
    json.EndObject();
  }
  return out;
}

std::string FailureJson(const Failure& failure, bool charged) {
  std::string out;
  {
    JsonWriter json(&out);
    json.BeginObject();
    json.Text("code", CodeName(CodeOf(failure)));
    json.Text("class", ErrorClassName(failure.error_class));
    json.Text("message", failure.message);
    json.Bool("charged", charged);
    json.EndObject();
  }
  return out;
}

void AppendOutputJson(const Output& output, const UrlBase& urls, std::string* out) {
  JsonWriter json(out);
  WriteOutput(output, urls, &json);
}

void AppendGenerationJson(const Generation& generation, std::span<const Output> outputs, const UrlBase& urls,
                          const RecordExtras& extras, std::string* out) {
  JsonWriter json(out);
  json.BeginObject();
  json.IdOrNull("id", generation.id);
  json.Text("user", generation.user);
  json.Text("status", StatusName(generation.status));
  json.TextOrNull("stage", generation.stage);
  json.Text("provider", generation.provider);
  json.Text("model", generation.model);
  json.Text("kind", generation.kind);
  json.Text("prompt", generation.prompt);
  json.Number("n", generation.n);
  json.TextOrNull("seed", generation.seed);
  json.Raw("progress", generation.progress_json);
  json.Raw("queuePosition", extras.queue_position ? std::to_string(*extras.queue_position) : "");
  WriteOutputs(outputs, urls, &json);
  json.Raw("error", generation.error_json);
  WriteCost(generation, &json);
  json.Number("attempts", generation.attempts);
  json.Number("likes", generation.likes);
  json.Number("shares", generation.shares);
  json.Text("visibility", generation.visibility);
  json.IdOrNull("project", generation.project);
  json.IdOrNull("session", generation.session);
  json.TextOrNull("externalId", generation.external_id);
  json.Raw("metadata", generation.metadata_json);
  json.Time("createdAt", generation.created_ms);
  json.Time("startedAt", generation.started_ms);
  json.Time("completedAt", generation.completed_ms);
  if (!extras.as_of.empty()) json.Text("asOf", extras.as_of);
  json.EndObject();
}

std::string GenerationEventJson(const Generation& generation, std::span<const Output> outputs,
                                const UrlBase& urls) {
  std::string out;
  {
    JsonWriter json(&out);
    json.BeginObject();
    json.IdOrNull("id", generation.id);
    json.Text("status", StatusName(generation.status));
    json.TextOrNull("stage", generation.stage);
    json.Raw("progress", generation.progress_json);
    WriteOutputs(outputs, urls, &json);
    json.Raw("error", generation.error_json);
    WriteCost(generation, &json);
    json.EndObject();
  }
  return out;
}

}  // namespace mediagen
