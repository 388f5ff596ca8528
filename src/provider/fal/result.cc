#include "provider/fal/result.h"

#include "provider/fal/errors.h"
#include "provider/fal/status.h"
#include "provider/inline_data.h"
#include "provider/wire_adapter.h"

namespace mediagen::fal {
namespace {

constexpr size_t kMaxOutputs = 64;
constexpr int kMaxNesting = 8;

// What stands under the names that models put their files under, in their order.
struct Files {
  const MakeOutput& make;
  std::vector<RemoteOutput> outputs = {};

  // A file object, or a bare URL; both may be a data URI. False when it is neither.
  bool Add(const Json& file, bool flagged) {
    if (outputs.size() >= kMaxOutputs) return false;
    const std::string url = file.is_string() ? file.get<std::string>() : TextOf(file, "url");
    std::optional<RemoteOutput> output =
        url.starts_with("data:") ? DataUriOutput(url) : make(url, TextOf(file, "content_type"));
    if (!output) return false;
    for (const RemoteOutput& known : outputs) {
      if (!output->url.empty() && known.url == output->url)
        return true;  // named twice, as "image" and in "images"
    }
    if (flagged) output->safety = "flagged";
    outputs.push_back(std::move(*output));
    return true;
  }
};

// The flags of a result, one a picture; models call them by either name.
class Flags {
 public:
  explicit Flags(const Json& result) {
    for (const char* name : {"has_nsfw_concepts", "nsfw_content_detected"}) {
      auto it = result.find(name);
      if (it != result.end()) found_.push_back(&*it);
    }
  }
  // By either; a single flag is of all.
  bool Of(size_t index) const {
    for (const Json* flags : found_) {
      const Json& flag = flags->is_array() && index < flags->size() ? (*flags)[index] : *flags;
      if (flag.is_boolean() && flag.get<bool>()) return true;
    }
    return false;
  }

 private:
  std::vector<const Json*> found_;
};

void AddNamed(const Json& result, Files* files) {
  const Flags flags(result);
  for (const char* name : {"images", "image", "video"}) {
    auto it = result.find(name);
    if (it == result.end()) continue;
    if (!it->is_array()) {
      files->Add(*it, flags.Of(0));
      continue;
    }
    for (size_t i = 0; i < it->size(); ++i) files->Add((*it)[i], flags.Of(i));
  }
}

bool IsPictureOrVideo(const Json& file) {
  const std::string type = TextOf(file, "content_type");
  return type.empty() || type.starts_with("image/") || type.starts_with("video/");
}

// Workflows name their outputs as they like: file objects, wherever they are.
void AddAnywhere(const Json& value, int depth, Files* files) {
  if (depth > kMaxNesting || !value.is_structured()) return;
  if (value.is_object() && value.contains("url") && IsPictureOrVideo(value) && files->Add(value, false))
    return;
  for (const Json& item : value) AddAnywhere(item, depth + 1, files);
}

}  // namespace

PollAnswer ReadResult(const Json& result, const MakeOutput& make, const HttpResponse& response,
                      std::string_view secret) {
  PollAnswer answer;
  Files files{.make = make};
  AddNamed(result, &files);
  if (files.outputs.empty()) AddAnywhere(result, 0, &files);
  if (!files.outputs.empty()) {
    answer.kind = PollAnswer::kSucceeded;
    answer.outputs = std::move(files.outputs);
    answer.seed = WholeNumberOf(result, "seed");
    return answer;
  }
  if (!TextOf(result, "status").empty() && !TextOf(result, "request_id").empty()) {
    answer = ReadStatus(result, response, secret);
    if (answer.kind != PollAnswer::kReady) return answer;
  }
  answer.kind = PollAnswer::kFailed;
  answer.charged = true;
  answer.failure =
      result.contains("detail")
          ? ReadModelError(result, secret)
          : Failure{.error_class = ErrorClass::kServer,
                    .message = "The request succeeded without a picture or video in its result."};
  return answer;
}

}  // namespace mediagen::fal
