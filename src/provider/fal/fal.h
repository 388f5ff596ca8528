// fal (https://queue.fal.run) and servers that speak its queue.
//
// Models: "owner/app", "owner/app/path", and "workflows/…" or "comfy/…" before either. Only the queue is
// used: a direct call (fal.run) has no id to find it by when its answer is lost, and is not tried again by
// fal.
#pragma once

#include <memory>

#include "provider/provider.h"

namespace mediagen {

// kInvalid for a bad base URL.
StatusOr<std::unique_ptr<Adapter>> NewFalAdapter(ProviderConfig config);

}  // namespace mediagen
