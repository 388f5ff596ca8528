// Invalidation: the engine's memory follows the event log, so that what another process changed is not served
// from here any more.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "cache/cache.h"
#include "events/hub.h"
#include "media/media.h"

namespace mediagen {

// The event log as it has been applied to this process's memory.
struct Followed {
  std::shared_ptr<Subscription> subscription;
  std::shared_ptr<std::atomic<int64_t>> sequence;  // of the newest event that was applied
};

// Forgets what is remembered of an output when an event tells of it: its card for any event, its pictures
// when it was deleted; the list pages of the event's user; everything after a reset, which tells that events
// were missed. Until the subscription is closed, `media` and `cache` must live.
StatusOr<Followed> FollowRecords(Hub* hub, Media* media, Cache* cache);

}  // namespace mediagen
