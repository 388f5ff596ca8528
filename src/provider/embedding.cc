#include "provider/embedding.h"

#include "fmt/format.h"
#include "provider/embedding/wire_embedder.h"

namespace mediagen {

StatusOr<std::unique_ptr<Embedder>> NewEmbedder(ProviderConfig config) {
  if (config.type.empty()) config.type = config.name;
  if (config.type == "openai") return embedding::NewOpenAi(std::move(config));
  if (config.type == "openrouter") return embedding::NewOpenRouter(std::move(config));
  if (config.type == "gemini") return embedding::NewGemini(std::move(config));
  return Error(Code::kUnsupported,
               fmt::format("Provider \"{}\" of type \"{}\" makes no embeddings.", Shorten(config.name, 60),
                           Shorten(config.type, 60)),
               {.hint = "The types that do are: openai, openrouter, gemini.", .object = config.name});
}

}  // namespace mediagen
