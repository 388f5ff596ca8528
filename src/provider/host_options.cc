#include "provider/host_options.h"

#include <algorithm>

#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int64_t kMostAJob = 16, kLargestSide = 32768;

void Names(FieldReader& fields, std::string_view key, std::vector<std::string>* out) {
  const Json* array = fields.Take(key);
  if (array == nullptr) return;
  out->clear();
  if (!array->is_array() || array->size() > 100)
    return fields.Refuse(key, "must be an array of at most 100 strings");
  for (const Json& item : *array) {
    if (!item.is_string() || item.get_ref<const std::string&>().empty())
      return fields.Refuse(key, "must be an array of strings");
    out->push_back(item.get<std::string>());
  }
}

template <typename Number>
void Count(FieldReader& fields, std::string_view key, int64_t least, int64_t most, Number* out) {
  int64_t value = static_cast<int64_t>(*out);
  fields.Int(key, &value, least, most);
  *out = static_cast<Number>(value);
}

}  // namespace

HostOptions DefaultHostOptions() {
  HostOptions options;
  options.capabilities.kinds = {"image", "video"};
  options.capabilities.max_n_per_request = 4;
  options.capabilities.negative_prompt = true;
  options.capabilities.references = true;
  options.capabilities.reference_roles = {"mask", "firstFrame", "lastFrame"};
  options.capabilities.aspect_ratio = true;
  return options;
}

HostOptions ReadHostOptions(FieldReader& fields) {
  HostOptions options = DefaultHostOptions();
  Capabilities& can = options.capabilities;
  std::string billing = "none";
  fields.String("billing", &billing, {.one_of = {"none", "paid"}});
  options.paid = billing == "paid";
  Names(fields, "kinds", &can.kinds);
  for (const std::string& kind : can.kinds) {
    if (kind != "image" && kind != "video") fields.Refuse("kinds", "may hold \"image\" and \"video\"");
  }
  if (can.kinds.empty()) fields.Refuse("kinds", "must name what is made");
  Names(fields, "models", &can.models);
  Count(fields, "maxN", 1, kMostAJob, &can.max_n);
  Count(fields, "maxNPerJob", 1, kMostAJob, &can.max_n_per_request);
  can.max_n_per_request = std::min(can.max_n_per_request, can.max_n);
  fields.Bool("seed", &can.seed);
  fields.Bool("negativePrompt", &can.negative_prompt);
  fields.Bool("references", &can.references);
  fields.Bool("size", &can.size);
  fields.Bool("aspectRatio", &can.aspect_ratio);
  Count(fields, "maxWidth", 0, kLargestSide, &can.max_width);
  Count(fields, "maxHeight", 0, kLargestSide, &can.max_height);
  return options;
}

std::string HostQueueOf(std::string_view provider) { return fmt::format("provider:{}", provider); }

}  // namespace mediagen
