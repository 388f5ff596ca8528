// The documents of paid requests to OpenRouter.
//
// Thread-safe: pure functions.
#pragma once

#include <string>

#include "provider/provider.h"

namespace mediagen::openrouter {

struct Submission {
  std::string path;  // behind the base URL: "/images", "/chat/completions", "/videos"
  Json body;
};

// kInvalid or kUnsupported for what that path cannot carry. "options" fill in what the request itself leaves
// open; their member "path" ("images", "chat") is for this function and is not sent.
StatusOr<Submission> BuildSubmission(const PartRequest& part, const std::string& webhook_url);

}  // namespace mediagen::openrouter
