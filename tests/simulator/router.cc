#include "simulator/router.h"

#include <cstdlib>

#include "simulator/fal.h"
#include "simulator/gemini.h"
#include "simulator/openai.h"
#include "simulator/openrouter.h"
#include "simulator/replicate.h"

namespace mediagen::simulator {

Router::Router(Shared* shared) : shared_(shared) {
  wires_.emplace_back("/openrouter/api/v1", std::make_unique<OpenRouterWire>(shared));
  wires_.emplace_back("/gemini/v1beta", std::make_unique<GeminiWire>(shared));
  wires_.emplace_back("/openai/v1", std::make_unique<OpenAi>(shared));
  wires_.emplace_back("/fal/", std::make_unique<FalWire>(shared));
  wires_.emplace_back("/.well-known/jwks", std::make_unique<FalKeys>(shared));
  wires_.emplace_back("", std::make_unique<Replicate>(shared));
}

Reply Router::Handle(const Request& request) {
  if (request.path.starts_with("/simulator/")) return HandleOwn(request);
  for (const auto& [prefix, wire] : wires_) {
    if (request.path.starts_with(prefix)) return wire->Handle(request, request.path.substr(prefix.size()));
  }
  return Answer(404, {{"detail", "No provider is simulated there."}});
}

Reply Router::HandleOwn(const Request& request) {
  if (request.method == "GET" && request.path == "/simulator/journal") {
    return {.content_type = "application/x-ndjson", .body = shared_->journal.Text()};
  }
  if (request.method == "GET" && request.path == "/simulator/webhooks") {
    const std::string count = request.Parameter("count");
    return {.content_type = "application/x-ndjson",
            .body = shared_->webhooks.Text(std::strtoul(count.c_str(), nullptr, 10))};
  }
  StatusOr<Json> json = ParseJson(request.body, "the request");
  if (request.method == "POST" && request.path == "/simulator/webhooks" && json.ok() &&
      !TextOf(*json, "provider").empty()) {
    shared_->webhooks.SetUrl(TextOf(*json, "provider"), TextOf(*json, "url"));
    return Answer(200, {{"ok", true}});
  }
  if (request.method == "POST" && request.path == "/simulator/next" && json.ok() && json->is_object() &&
      json->contains("fault")) {
    shared_->faults.Queue((*json)["fault"], IntOf(*json, "times", 1));
    return Answer(200, {{"ok", true}});
  }
  return Answer(404, {{"detail",
                       "The simulator has GET /simulator/journal, POST /simulator/next "
                       "{\"fault\": {…}, \"times\": n}, and GET and POST /simulator/webhooks "
                       "{\"provider\": \"…\", \"url\": \"…\"}."}});
}

}  // namespace mediagen::simulator
