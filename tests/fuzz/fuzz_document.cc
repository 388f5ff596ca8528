// JSON documents and short texts that hosts and clients send. The first byte picks the reader.
#include "api/cursor.h"
#include "api/http.h"
#include "api/queue_documents.h"
#include "api/store_documents.h"
#include "base/clock.h"
#include "fuzz/input.h"
#include "limit/limiter.h"
#include "media/recipe.h"
#include "pipeline/request.h"

namespace mediagen {
namespace {

// A refused document says why; an accepted request means the same when it is written and read again.
void Request(std::string_view text) {
  StatusOr<GenerationRequest> request = ParseGenerationRequest(text, std::nullopt, std::nullopt);
  if (!request.ok()) return fuzz::Require(!InfoOf(request.status()).message.empty(), "a refusal says why");
  const std::string written = RequestJson(*request);
  StatusOr<GenerationRequest> again = RequestFromJson(written);
  fuzz::Require(again.ok(), "what is written can be read");
  fuzz::Require(RequestJson(*again) == written, "and means the same");
}

void RecipeName(std::string_view text) {
  StatusOr<Recipe> recipe = Recipe::Parse(text);
  if (!recipe.ok()) return;
  StatusOr<Recipe> again = Recipe::Parse(recipe->name());
  fuzz::Require(again.ok() && *again == *recipe, "a recipe's name is its recipe");
}

void Time(std::string_view text) {
  StatusOr<int64_t> time = ParseTime(text);
  if (time.ok()) fuzz::Require(ParseTime(FormatTime(*time)).value_or(-1) == *time, "a time survives");
}

void Cursor(std::string_view text) {
  fuzz::Require(!DecodeCursor(text, "binding", "a secret that nobody has").ok(), "no cursor is forged");
}

void JsonText(std::string_view text) {
  std::string quoted;
  AppendJsonString(text, &quoted);
  StatusOr<Json> parsed = ParseJson(quoted, "text", {});
  fuzz::Require(parsed.ok() && parsed->is_string(), "a quoted text is a JSON string");
  if (IsPlainJson(text)) fuzz::Require(parsed->get<std::string>() == text, "and is that text");
}

}  // namespace
}  // namespace mediagen

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  if (size == 0) return 0;
  std::string_view text = fuzz::Text(data + 1, size - 1);
  switch (data[0] % 12) {
    case 0:
      return Request(text), 0;
    case 1:
      return ParsePrincipal(text).IgnoreError(), 0;
    case 2:
      return Cursor(text), 0;
    case 3:
      return RecipeName(text), 0;
    case 4:
      return Time(text), 0;
    case 5:
      return ParseNewJobs(text).IgnoreError(), 0;
    case 6:
      return ParseOutcome(text).IgnoreError(), 0;
    case 7:
      return ParseCollectionText(text).IgnoreError(), 0;
    case 8:
      return ParseStoreBatch(text).IgnoreError(), 0;
    case 9:
      return ParseCollectionQuery("notes", text).IgnoreError(), 0;
    case 10:
      return ParseLimitRule("rule", text).IgnoreError(), 0;
    default:
      return JsonText(text), 0;
  }
}
