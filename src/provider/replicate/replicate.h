// Replicate (https://api.replicate.com/v1) and servers that speak its wire.
//
// Models: "owner/name" (an official model), "owner/name:<64 hex>" or "<64 hex>" (a version),
// "deployments/owner/name".
#pragma once

#include <memory>

#include "provider/provider.h"

namespace mediagen {

// kInvalid for a bad base URL.
StatusOr<std::unique_ptr<Adapter>> NewReplicateAdapter(ProviderConfig config);

}  // namespace mediagen
