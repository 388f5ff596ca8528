#include "provider/openrouter/request.h"

#include "fmt/format.h"
#include "provider/inline_data.h"
#include "provider/openrouter/models.h"
#include "provider/wire_adapter.h"

namespace mediagen::openrouter {
namespace {

enum class Path { kImages, kChat, kVideos };

Status Invalid(std::string message, std::string hint) {
  return Error(Code::kInvalid, std::move(message), {.hint = std::move(hint)});
}
Status Unsupported(std::string message, std::string hint) {
  return Error(Code::kUnsupported, std::move(message), {.hint = std::move(hint)});
}

StatusOr<Path> PathOf(const PartRequest& part) {
  const bool video = part.kind == "video";
  if (!video && part.kind != "image")
    return Unsupported(fmt::format("OpenRouter does not make \"{}\".", Shorten(part.kind, 40)),
                       "It makes: image, video.");
  auto given = part.options.find("path");
  if (given == part.options.end()) return video ? Path::kVideos : Path::kImages;
  const std::string path = TextOf(part.options, "path");
  if (video && path == "videos") return Path::kVideos;
  if (!video && path == "images") return Path::kImages;
  if (!video && path == "chat") return Path::kChat;
  return Invalid(fmt::format("\"options\": \"path\" is no path for kind \"{}\".", part.kind),
                 video ? "Leave it out." : "Write \"images\" (the default) or \"chat\".");
}

// Options that would change how the answer comes, or where it is told.
Status CheckOptions(const Json& options) {
  auto stream = options.find("stream");
  if (stream != options.end() && *stream != Json(false)) {
    return Invalid(
        "\"options\": \"stream\" is not taken: a streamed answer that breaks off is paid for and lost.",
        "Leave it out.");
  }
  if (options.contains("callback_url")) {
    return Invalid(
        "\"options\": \"callback_url\" is not taken: webhooks are checked, and come to mediagen alone.",
        "Leave it out, and subscribe to events instead.");
  }
  return OkStatus();
}

Json UrlPart(const Reference& reference) {
  return {{"type", "image_url"}, {"image_url", {{"url", ReferenceUri(reference)}}}};
}

StatusOr<Json> PlainReferences(const PartRequest& part) {
  Json list = Json::array();
  for (const Reference& reference : part.references) {
    if (!reference.role.empty())
      return Unsupported(fmt::format("OpenRouter takes no reference of role \"{}\" for pictures.",
                                     Shorten(reference.role, 40)),
                         "Leave the role out.");
    list.push_back(UrlPart(reference));
  }
  return list;
}

Status FillImages(const PartRequest& part, Json* body) {
  if (part.n > kMaxPictures)
    return Unsupported(
        fmt::format("\"n\" is {}; OpenRouter makes at most {} in one request.", part.n, kMaxPictures),
        "Ask for fewer.");
  // OpenRouter answers 400 when explicit pixels and a ratio disagree; which of the two counts is the asker's
  // word.
  const bool sized = body->contains("resolution") || body->contains("aspect_ratio");
  const bool pixels = TextOf(*body, "size").find('x') != std::string::npos;
  if ((!part.size.empty() && (sized || !part.aspect_ratio.empty())) || (!part.aspect_ratio.empty() && pixels))
    return Invalid("A size in pixels cannot be given together with a resolution or an aspect ratio.",
                   "Leave one of them out.");
  (*body)["prompt"] = part.prompt;
  if (part.n > 1) (*body)["n"] = part.n;
  if (part.seed.has_value()) (*body)["seed"] = *part.seed;
  if (!part.size.empty()) (*body)["size"] = part.size;
  if (!part.aspect_ratio.empty()) (*body)["aspect_ratio"] = part.aspect_ratio;
  ASSIGN_OR_RETURN(Json references, PlainReferences(part));
  if (!references.empty()) (*body)["input_references"] = std::move(references);
  return OkStatus();
}

Status FillChat(const PartRequest& part, Json* body) {
  if (part.n > 1)
    return Unsupported("One chat request makes one picture.", "Set \"n\" to 1, or leave \"path\" out.");
  if (part.seed.has_value())
    return Unsupported("OpenRouter's chat path is not known to take \"seed\" for pictures.",
                       "Leave it out, or name it in \"options\".");
  if (!part.size.empty())
    return Unsupported("OpenRouter's chat path does not take \"size\".",
                       "Use \"aspectRatio\", and \"image_config\": {\"image_size\": …} in \"options\".");
  Json content = part.prompt;
  ASSIGN_OR_RETURN(Json references, PlainReferences(part));
  if (!references.empty()) {
    content = Json::array({{{"type", "text"}, {"text", part.prompt}}});
    content.insert(content.end(), references.begin(), references.end());
  }
  Json message = {{"role", "user"}, {"content", std::move(content)}};
  (*body)["messages"] = Json::array({std::move(message)});
  (*body)["modalities"] = {"image", "text"};
  if (part.aspect_ratio.empty()) return OkStatus();
  Json& config = (*body)["image_config"];
  if (!config.is_object()) config = Json::object();
  config["aspect_ratio"] = part.aspect_ratio;
  return OkStatus();
}

Status AddFrames(const PartRequest& part, Json* body) {
  Json frames = Json::array(), references = Json::array();
  bool first = false, last = false;
  for (const Reference& reference : part.references) {
    Json item = UrlPart(reference);
    if (reference.role.empty()) {
      references.push_back(std::move(item));
      continue;
    }
    if (reference.role != "firstFrame" && reference.role != "lastFrame")
      return Unsupported(fmt::format("OpenRouter takes no reference of role \"{}\" for videos.",
                                     Shorten(reference.role, 40)),
                         "It takes the roles: firstFrame, lastFrame.");
    bool& seen = reference.role == "firstFrame" ? first : last;
    if (seen)
      return Invalid(fmt::format("Two references have the role \"{}\".", reference.role), "Leave one out.");
    seen = true;
    item["frame_type"] = reference.role == "firstFrame" ? "first_frame" : "last_frame";
    frames.push_back(std::move(item));
  }
  if (!frames.empty()) (*body)["frame_images"] = std::move(frames);
  if (!references.empty()) (*body)["input_references"] = std::move(references);
  return OkStatus();
}

Status FillVideo(const PartRequest& part, const std::string& webhook_url, Json* body) {
  if (part.n > 1) return Unsupported("One request makes one video.", "Set \"n\" to 1.");
  if (!part.size.empty())
    return Unsupported("OpenRouter does not take \"size\" for videos.",
                       "Use \"aspectRatio\", and \"resolution\" in \"options\" (\"720p\").");
  (*body)["prompt"] = part.prompt;
  if (part.seed.has_value()) (*body)["seed"] = *part.seed;
  if (!part.aspect_ratio.empty()) (*body)["aspect_ratio"] = part.aspect_ratio;
  if (!webhook_url.empty()) (*body)["callback_url"] = webhook_url;
  return AddFrames(part, body);
}

}  // namespace

StatusOr<Submission> BuildSubmission(const PartRequest& given, const std::string& webhook_url) {
  PartRequest part = given;
  if (part.options.is_null()) part.options = Json::object();
  if (!part.options.is_object()) return Error(Code::kInvalid, "\"options\" is not an object.");
  if (part.model.empty())
    return Invalid("OpenRouter needs a \"model\".", "Name one, such as \"openai/gpt-image-1\".");
  RETURN_IF_ERROR(CheckOptions(part.options));
  ASSIGN_OR_RETURN(Path path, PathOf(part));
  Submission submission{.body = part.options};
  Json& body = submission.body;
  // More pictures than were asked for would be billed.
  for (const char* ours : {"path", "n"}) body.erase(ours);
  body["model"] = part.model;
  switch (path) {
    case Path::kImages:
      submission.path = "/images";
      RETURN_IF_ERROR(FillImages(part, &body));
      break;
    case Path::kChat:
      submission.path = "/chat/completions";
      RETURN_IF_ERROR(FillChat(part, &body));
      break;
    case Path::kVideos:
      submission.path = "/videos";
      RETURN_IF_ERROR(FillVideo(part, webhook_url, &body));
      break;
  }
  return submission;
}

}  // namespace mediagen::openrouter
