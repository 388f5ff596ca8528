#include "cache/options.h"

#include "base/json.h"
#include "base/text.h"
#include "fmt/format.h"

namespace mediagen {

StatusOr<MemoryCacheOptions> ParseMemoryCacheOptions(std::string_view config_json) {
  Json json = Json::object();
  if (!Trim(config_json).empty()) {
    ASSIGN_OR_RETURN(json, ParseJson(config_json, "The cache's configuration"));
  }
  FieldReader fields(json, "the cache's configuration");
  MemoryCacheOptions options;
  int64_t bytes = 50 << 20, entries = 0;
  std::string policy = "tinylfu";
  fields.Int("bytes", &bytes, 1 << 10, int64_t{1} << 40);
  fields.Int("entries", &entries, 0, int64_t{1} << 40);
  double largest_entry = -1;
  fields.Number("largestEntry", &largest_entry, 0, 1);
  if (largest_entry >= 0) options.largest_entry = largest_entry;
  fields.Int("negativeTtlMs", &options.negative_ttl_ms, 1, int64_t{86'400'000} * 366);
  fields.String("policy", &policy, {.max_bytes = 16});
  RETURN_IF_ERROR(fields.Finish());
  options.budget_bytes = static_cast<uint64_t>(bytes);
  options.max_entries = static_cast<uint64_t>(entries);
  if (policy == "lru") {
    options.policy = CachePolicy::kLru;
  } else if (policy == "s3fifo") {
    options.policy = CachePolicy::kS3Fifo;
  } else if (policy != "tinylfu") {
    return Error(Code::kInvalid,
                 fmt::format("\"policy\" is \"{}\"; it takes \"tinylfu\", \"lru\" or \"s3fifo\".", policy));
  }
  return options;
}

}  // namespace mediagen
