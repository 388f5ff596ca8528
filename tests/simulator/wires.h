// Where the simulator speaks each provider's wire: behind its origin, this is the provider's baseUrl.
#pragma once

#include <utility>

namespace mediagen::simulator {

inline constexpr std::pair<const char*, const char*> kWires[] = {{"replicate", "/v1"},
                                                                 {"fal", "/fal"},
                                                                 {"openrouter", "/openrouter/api/v1"},
                                                                 {"gemini", "/gemini/v1beta"},
                                                                 {"openai", "/openai/v1"}};

}  // namespace mediagen::simulator
