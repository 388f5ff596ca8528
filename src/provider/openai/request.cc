#include "provider/openai/request.h"

#include <algorithm>

#include "fmt/format.h"

namespace mediagen::openai {
namespace {

constexpr size_t kMaxPictureBytes = 50'000'000;  // OpenAI takes less than 50 MB a picture

Status Refused(std::string_view option, std::string_view why, std::string_view instead) {
  return Error(Code::kInvalid, fmt::format("\"options\" has \"{}\": {}.", option, why),
               {.hint = std::string(instead)});
}

bool SaysNo(const Json& value) {
  return value.is_null() || value == false || value == 0 || value == "false" || value == "0" ||
         (value.is_string() && value.get_ref<const std::string&>().empty());
}

// An answer has to come whole, so that it can be kept before it is read: a stream that breaks is paid for,
// and its pictures are in none of its pieces.
Status TakeOutStreams(Json* fields) {
  for (const char* name : {"stream", "partial_images"}) {
    auto it = fields->find(name);
    if (it == fields->end()) continue;
    if (!SaysNo(*it))
      return Refused(name, "answers are not streamed, since a stream that breaks off is paid for and lost",
                     "Leave it out.");
    fields->erase(it);
  }
  return OkStatus();
}

Status SetFormat(const Traits& traits, bool own, Json* fields) {
  const bool given = fields->contains("response_format");
  if (traits.always_base64 && own && given) {
    return Refused("response_format", "the model refuses it, and answers base64 without it",
                   "Leave it out; \"output_format\" is png, jpeg or webp.");
  }
  if (given && (*fields)["response_format"] != "b64_json" && (*fields)["response_format"] != "url")
    return Refused("response_format", "it is \"b64_json\" or \"url\"", "Leave it out.");
  if (traits.asks_base64 && !given) (*fields)["response_format"] = "b64_json";
  return OkStatus();
}

Status CheckReference(const Reference& reference, size_t position) {
  const char* why = nullptr;
  if (!reference.bytes)
    why = "is a URL; this provider takes pictures as bytes";
  else if (reference.bytes->size() == 0)
    why = "is empty";
  else if (reference.bytes->size() >= kMaxPictureBytes)
    why = "has 50 MB or more";
  else if (reference.role == "mask" && reference.media_type != "image/png")
    why = "is a mask, which has to be PNG";
  if (why == nullptr) return OkStatus();
  return Error(Code::kInvalid, fmt::format("Reference {} {}.", position + 1, why));
}

Status AddPictures(const std::vector<Reference>& references, int most, Form* form) {
  const auto masks = std::count_if(references.begin(), references.end(),
                                   [](const Reference& reference) { return reference.role == "mask"; });
  const auto pictures = static_cast<std::ptrdiff_t>(references.size()) - masks;
  if (pictures == 0) return Error(Code::kInvalid, "A mask needs the picture that it is for.");
  if (masks > 1) return Error(Code::kInvalid, fmt::format("{} masks were given; one is taken.", masks));
  if (pictures > most)
    return Error(Code::kUnsupported,
                 fmt::format("{} pictures were given; at most {} are taken.", pictures, most));
  size_t number = 0;
  for (const Reference& reference : references) {
    if (reference.role == "mask") {
      form->AddFile("mask", "mask", reference.media_type, reference.bytes);
    } else if (reference.role.empty()) {
      form->AddFile(pictures == 1 ? "image" : "image[]", fmt::format("image-{}", ++number),
                    reference.media_type, reference.bytes);
    } else {
      return Error(Code::kUnsupported,
                   fmt::format("A picture is not made from a reference in the role \"{}\".",
                               Shorten(reference.role, 40)));
    }
  }
  return OkStatus();
}

Status AddFirstFrame(const std::vector<Reference>& references, Form* form) {
  if (references.empty()) return OkStatus();
  const Reference& reference = references.front();
  if (references.size() > 1 || (!reference.role.empty() && reference.role != "firstFrame"))
    return Error(Code::kUnsupported, "A video starts from one picture at most.",
                 {.hint = "Give one reference, without a role or as \"firstFrame\"."});
  form->AddFile("input_reference", "frame", reference.media_type, reference.bytes);
  return OkStatus();
}

}  // namespace

StatusOr<Json> BuildFields(const PartRequest& part, const Traits& traits, bool own) {
  if (!part.options.is_object() && !part.options.is_null())
    return Error(Code::kInvalid, "\"options\" is not an object.");
  Json fields = part.options.is_object() ? part.options : Json::object();
  RETURN_IF_ERROR(TakeOutStreams(&fields));
  fields["model"] = part.model;
  if (!part.prompt.empty()) fields["prompt"] = part.prompt;
  // Always said, so that no option orders more than the request has counted.
  if (part.kind == "image")
    fields["n"] = part.n;
  else
    fields.erase("n");
  if (!part.size.empty()) {
    if (own) RETURN_IF_ERROR(CheckSize(traits, part));
    fields["size"] = part.size;
  }
  if (part.seed.has_value()) fields["seed"] = *part.seed;
  if (!part.negative_prompt.empty()) fields["negative_prompt"] = part.negative_prompt;
  if (part.kind == "image") RETURN_IF_ERROR(SetFormat(traits, own, &fields));
  return fields;
}

StatusOr<Form> BuildForm(const PartRequest& part, const Traits& traits, const Json& fields) {
  for (size_t i = 0; i < part.references.size(); ++i) RETURN_IF_ERROR(CheckReference(part.references[i], i));
  Form form;
  for (const auto& [name, value] : fields.items()) {
    // The request's own references stand under these names.
    if (name == "image" || name == "mask" || name == "input_reference")
      return Refused(name, "pictures are given as references", "Use \"references\".");
    RETURN_IF_ERROR(form.Add(name, value));
  }
  RETURN_IF_ERROR(part.kind == "video" ? AddFirstFrame(part.references, &form)
                                       : AddPictures(part.references, traits.max_pictures, &form));
  return form;
}

}  // namespace mediagen::openai
