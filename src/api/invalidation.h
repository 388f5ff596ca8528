// Invalidation: the engine's memory follows the event log, so that what another process changed is not served
// from here any more, and what failed there is not counted here.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "api/lease_book.h"
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
// were missed. Gives back what a generation that failed was charged, but for one that the provider billed all
// the same, or refused for its content: who tries prompts until one passes is to be limited. Until the
// subscription is closed, `media`, `cache` and `leases` must live.
StatusOr<Followed> FollowRecords(Hub* hub, Media* media, Cache* cache, LeaseBook* leases);

}  // namespace mediagen
