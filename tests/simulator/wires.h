// Where the simulator speaks each provider's wire: behind its origin, this is the provider's baseUrl.
#pragma once

#include <utility>

namespace mediagen::simulator {

inline constexpr std::pair<const char*, const char*> kWires[] = {{"replicate", "/v1"},
                                                                 {"fal", "/fal"},
                                                                 {"openrouter", "/openrouter/api/v1"},
                                                                 {"gemini", "/gemini/v1beta"},
                                                                 {"openai", "/openai/v1"}};

// What webhooks are signed with: Replicate's, OpenAI's and Gemini's, and OpenRouter's.
inline constexpr const char kStandardWebhookSecret[] = "whsec_c2ltdWxhdGVkLXdlYmhvb2stc2VjcmV0";
inline constexpr const char kOpenRouterWebhookSecret[] = "simulated-webhook-secret";

}  // namespace mediagen::simulator
