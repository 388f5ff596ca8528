// What "options" may add to a request of Gemini's.
#include "fmt/format.h"
#include "provider/gemini/request.h"

namespace mediagen::gemini {
namespace {

struct Reserved {
  enum Where { kEverywhere, kGenerate, kOperation, kInteraction } where;
  std::string_view object, name;  // "" : the top of the body
  std::string_view why;
};

constexpr std::string_view kOwn = "the request itself says it";
constexpr std::string_view kCount = "every picture or video is a request of its own, counted by \"n\"";
constexpr std::string_view kRead = "the answer is read as one document, and asked for again by its id";

constexpr Reserved kReserved[] = {
    {Reserved::kEverywhere, "", "model", kOwn},
    {Reserved::kEverywhere, "", "stream", kRead},
    {Reserved::kEverywhere, "", "webhookConfig", "nobody could read what arrives there"},
    {Reserved::kGenerate, "", "contents", kOwn},
    {Reserved::kGenerate, "generationConfig", "candidateCount", kCount},
    {Reserved::kOperation, "", "instances", kOwn},
    {Reserved::kOperation, "parameters", "sampleCount", kCount},
    {Reserved::kInteraction, "", "input", kOwn},
    {Reserved::kInteraction, "", "agent", "the request names a model"},
    {Reserved::kInteraction, "", "background", kRead},
    {Reserved::kInteraction, "", "store", kRead},
    {Reserved::kInteraction, "response_format", "type", "the request's \"kind\" says it"},
    {Reserved::kInteraction, "response_format", "delivery", kRead},
};

bool AppliesTo(Reserved::Where where, Route route) {
  switch (where) {
    case Reserved::kEverywhere:
      return true;
    case Reserved::kGenerate:
      return route == Route::kGenerate;
    case Reserved::kOperation:
      return route == Route::kOperation;
    case Reserved::kInteraction:
      return route == Route::kInteraction;
  }
  return true;
}

// The API takes each name in two spellings, "candidateCount" and "candidate_count".
std::string Plain(std::string_view name) {
  std::string plain;
  for (char c : ToLower(name)) {
    if (c != '_') plain.push_back(c);
  }
  return plain;
}

Status CheckReserved(const Json& object, std::string_view path, Route route) {
  for (const auto& [name, value] : object.items()) {
    for (const Reserved& reserved : kReserved) {
      if (!AppliesTo(reserved.where, route) || Plain(reserved.object) != Plain(path) ||
          Plain(reserved.name) != Plain(name))
        continue;
      return Error(Code::kInvalid,
                   fmt::format("\"options\" cannot set \"{}{}{}\": {}.", Shorten(path, 60),
                               path.empty() ? "" : ".", Shorten(name, 60), reserved.why),
                   {.hint = "Leave it out."});
    }
    if (path.empty() && value.is_object()) RETURN_IF_ERROR(CheckReserved(value, name, route));
  }
  return OkStatus();
}

// Recurses only where the body has an object of its own, which is never deep.
void Merge(const Json& options, Json* body) {
  for (const auto& [name, value] : options.items()) {
    Json* present = nullptr;
    for (auto it = body->begin(); it != body->end(); ++it) {
      if (Plain(it.key()) == Plain(name)) present = &*it;
    }
    if (present == nullptr) {
      (*body)[name] = value;
    } else if (present->is_object() && value.is_object()) {
      Merge(value, present);
    }
  }
}

}  // namespace

Status MergeOptions(const Json& options, Route route, Json* body) {
  if (options.is_null()) return OkStatus();
  if (!options.is_object()) return Error(Code::kInvalid, "\"options\" is not an object.");
  RETURN_IF_ERROR(CheckReserved(options, "", route));
  Merge(options, body);
  return OkStatus();
}

}  // namespace mediagen::gemini
