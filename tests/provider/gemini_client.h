// Gemini's adapter over the HTTP client, against the simulator.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "provider/gemini_fixture.h"
#include "support/wire_client.h"

namespace mediagen::testing::gemini {

struct GeminiClient : WireClient {
  explicit GeminiClient(const Simulator& simulator, std::string key = "key")
      : WireClient(simulator, {.name = "gemini"}, "/gemini/v1beta", std::move(key)) {}
};

}  // namespace mediagen::testing::gemini
