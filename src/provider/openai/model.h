// What a model name means at OpenAI, and at servers that borrow its names.
//
// Thread-safe: pure functions over constant data.
#pragma once

#include <string_view>

#include "provider/endpoint.h"
#include "provider/provider.h"

namespace mediagen::openai {

inline constexpr std::string_view kBaseUrl = "https://api.openai.com/v1";

// Whether requests go to OpenAI itself: there a key is needed, and unknown fields are refused.
bool IsOpenAi(const Endpoint& endpoint);

struct Traits {
  bool images = true, videos = true;
  int max_n = 1;               // pictures of one request
  int max_pictures = 16;       // references of an edit, beside the mask
  bool always_base64 = false;  // refuses "response_format", and answers base64
  bool asks_base64 = false;    // answers URLs unless "response_format" asks for base64
  std::string_view sizes;      // " 1024x1024 1536x1024 "; "": any
  uint32_t size_step = 1;      // each side is a multiple of it
};

// Of the model, by its longest known prefix ("openai/gpt-image-1", as proxies write it, included); for a name
// that is not known, what every server can be asked for: one picture a request.
Traits TraitsOf(std::string_view model);

Capabilities CapabilitiesOf(const Traits& traits, bool own);

// kInvalid for a size that OpenAI has no pictures of; the error names those that it has.
Status CheckSize(const Traits& traits, const PartRequest& part);

}  // namespace mediagen::openai
