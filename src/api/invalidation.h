// Invalidation: the engine's memory follows the event log, so that what another process changed is not served
// from here any more.
#pragma once

#include <memory>

#include "events/hub.h"
#include "media/media.h"

namespace mediagen {

// Forgets what is remembered of an output when an event tells of it: its card for any event, its pictures
// when it was deleted; everything after a reset, which tells that events were missed. Until the subscription
// is closed, `media` must live.
StatusOr<std::shared_ptr<Subscription>> FollowOutputs(Hub* hub, Media* media);

}  // namespace mediagen
