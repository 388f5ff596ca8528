// Where a model of fal's is asked, and where its requests are asked about afterwards.
//
// Thread-safe: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace mediagen::fal {

struct Target {
  std::string path;  // of the submit: "fal-ai/flux/dev"
  std::string app;   // of its requests, the path part dropped: "fal-ai/flux", "workflows/me/mine"
};

// kInvalid when `model` is no "[workflows/|comfy/]owner/app[/path]".
StatusOr<Target> ParseTarget(std::string_view model);

// The app in a URL of one of its requests, "https://…/owner/app/requests/<id>…", whatever its origin and
// whatever stands before the owner; "" when it is no such URL.
std::string AppInUrl(std::string_view url, std::string_view id);

}  // namespace mediagen::fal
