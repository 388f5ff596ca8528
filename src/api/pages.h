// Pages: list answers that are kept for five seconds, and no longer than they are true.
//
// For a minute a page stands in for one that can't be made, because the store fails: X-Cache says STALE then,
// and also while somebody makes it anew. Events still drop it.
//
// A page is served from memory only while the engine's memory has followed the event log to its newest event
// (one indexed read, a tenth of what a page costs), so that who has just written sees it, and so do other
// processes over the same store. Events drop the pages of their user alone.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/router.h"

namespace mediagen {

// Answers `exchange` with the page that `make` makes, or with the one that was made of the same request for
// the same viewer: X-Cache says MISS, HIT or STALE. Errors are not kept. `make` is called at most once, on
// this thread or on that of a load that gave up.
void ReplyWithPage(Router& router, std::shared_ptr<ApiExchange> exchange,
                   std::function<StatusOr<std::string>()> make);

// Drops what is kept of the lists that show records of `user`.
void ForgetPages(Cache* cache, std::string_view user);
// Drops all of them.
void ForgetAllPages(Cache* cache);

}  // namespace mediagen
