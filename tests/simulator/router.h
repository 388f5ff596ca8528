// Router: which wire a request is for, by its prefix, and the simulator's own routes.
//
//   /v1                        Replicate      /fal          fal        /openrouter/api/v1  OpenRouter
//   /gemini/v1beta             Gemini         /openai/v1    OpenAI     (each of these is a baseUrl)
//   GET /simulator/journal, POST /simulator/next {"fault": {…}, "times": n}
//   GET /simulator/webhooks, POST /simulator/webhooks {"provider": "openai", "url": "http://127.0.0.1:…"}
//
// Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "simulator/wire.h"

namespace mediagen::simulator {

class Router {
 public:
  explicit Router(Shared* shared);
  Reply Handle(const Request& request);

 private:
  Reply HandleOwn(const Request& request);

  Shared* const shared_;
  std::vector<std::pair<std::string, std::unique_ptr<Wire>>> wires_;  // by prefix, the longest first
};

}  // namespace mediagen::simulator
