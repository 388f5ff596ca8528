// What a provider answers: Replicate's prediction object, whole, cut short, or not one at all.
#include "fuzz/input.h"
#include "provider/replicate/prediction.h"
#include "provider/wire_adapter.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  std::string_view text = fuzz::Text(data, size);
  static const StatusOr<Endpoint> endpoint = [] {
    ProviderConfig config;
    config.base_url = "https://api.replicate.com/v1";
    return Endpoint::Make(config, "https://api.replicate.com/v1");
  }();
  fuzz::Require(endpoint.ok(), "the endpoint");
  const std::string_view id = FirstMemberId(text);
  fuzz::Require(id.find_first_of("/?#\\ ") == std::string::npos, "an id may stand in a path");
  replicate::ReadProgress(text);
  replicate::ReadSeed(text);
  StatusOr<Json> json = ParseJson(text, "answer", {});
  if (!json.ok()) return 0;
  PollAnswer answer = replicate::ReadPrediction(*json, *endpoint, "r8_secret");
  fuzz::Require(answer.outputs.size() <= 64, "the bound of outputs");
  fuzz::Require(answer.failure.message.find("r8_secret") == std::string::npos, "no secret in a message");
  replicate::ReadHandle(*json, *endpoint);
  return 0;
}
