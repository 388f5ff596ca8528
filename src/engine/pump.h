// What hosts send and receive as events, besides records.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "engine/engine.h"
#include "events/hub.h"

namespace mediagen {

// documents.md "Subscribe": {"topics": […], "after": "e1:1042", "object": null, "previews": false}; "" is
// everything from now on. `previews`: whether documents carry inline previews (api/previews.h).
StatusOr<SubscriptionOptions> ParseSubscription(std::string_view json, const Viewer& viewer, bool* previews);

// An event of the host's own. kInvalid for a topic of mediagen's or a malformed one, or data that is no JSON
// object.
StatusOr<Event> HostEvent(std::string_view topic, std::string_view user, std::string_view data,
                          int64_t now_ms);

// Moves what a subscription has, in order and one at a time, into `deliver`, on the executor; `ended` once
// when the subscription ends.
Unsubscribe PumpInto(std::shared_ptr<Subscription> subscription, Executor* executor,
                     std::function<void(BufferRef)> deliver, std::function<void(Status)> ended);

}  // namespace mediagen
