// The provider that is the host itself: its workers take the jobs of a queue and upload what they made. The
// work goes through the pipeline's host.cc; the adapter only says what may be asked for.
#pragma once

#include "provider/provider.h"

namespace mediagen {

// kInvalid for a name that makes no queue.
StatusOr<std::unique_ptr<Adapter>> NewHostAdapter(ProviderConfig config);

}  // namespace mediagen
