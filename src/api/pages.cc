#include "api/pages.h"

#include "api/problem.h"
#include "api/reply.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int64_t kPageMs = 5000;
constexpr int64_t kStaleMs = 60'000;  // and so long it may stand in for one that can't be made
constexpr int64_t kMakeMs = 10'000;   // a page that takes longer is somebody else's to make
constexpr std::string_view kAllPages = "pages";

std::string TagOf(std::string_view user) { return fmt::format("pages/{}", user); }

// Two requests with one key have one answer: the viewer's scope first, its length before it.
std::string KeyOf(const ApiExchange& exchange) {
  const Viewer& viewer = exchange.viewer;
  const std::string scope = viewer.all ? "*" : "user/" + viewer.user;
  const ApiRequest& request = exchange.request;
  return fmt::format("page/{}:{}/{}:{}{}?{}", scope.size(), scope, request.mount.size(), request.mount,
                     request.path, request.query);
}

// What memory has of the store's events.
enum class Followed { kAll, kNotAll, kNobodyKnows };

Followed FollowedBy(const Router& router) {
  const RouterParts& parts = router.parts();
  if (parts.cache == nullptr || parts.followed == nullptr) return Followed::kNotAll;
  int64_t newest = 0;
  Status read = parts.pipeline->parts().store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(newest, snapshot.events().Newest());
    return OkStatus();
  });
  if (!read.ok()) return Followed::kNobodyKnows;
  return newest <= parts.followed->load() ? Followed::kAll : Followed::kNotAll;
}

void Reply(ApiExchange& exchange, std::string page, std::string_view x_cache) {
  exchange.Reply(JsonResponse(exchange.request, 200, std::move(page), {{"X-Cache", std::string(x_cache)}}));
}

// Makes the page for the load `token`. When it can't be made, `stale` stands in for it, if there is one.
void MakeFor(Cache* cache, uint64_t token, ApiExchange& exchange,
             const std::function<StatusOr<std::string>()>& make, const BufferRef& stale) {
  StatusOr<std::string> page = make();
  if (!page.ok()) {
    (void)cache->Fail(token, page.status());
    if (!stale || HttpStatusOf(CodeOf(page.status())) < 500) return exchange.Fail(page.status());
    return Reply(exchange, std::string(stale.view()), "STALE");
  }
  EntryOptions options;
  options.soft_ttl_ms = kPageMs;
  options.ttl_ms = kStaleMs;
  options.local = true;  // it speaks of rows that are read as fast
  options.tags = {std::string(kAllPages), exchange.viewer.all ? TagOf("") : TagOf(exchange.viewer.user)};
  // Stale when an event came meanwhile: the page is still the answer to a question from before it.
  (void)cache->Fill(token, BufferRef::Copy(*page), options);
  Reply(exchange, std::move(*page), "MISS");
}

}  // namespace

void ReplyWithPage(Router& router, std::shared_ptr<ApiExchange> exchange,
                   std::function<StatusOr<std::string>()> make) {
  const Followed followed = FollowedBy(router);
  if (followed == Followed::kNotAll) {
    StatusOr<std::string> page = make();
    if (!page.ok()) return exchange->Fail(page.status());
    return Reply(*exchange, std::move(*page), "MISS");
  }
  Cache* cache = router.parts().cache;
  LoadOptions options(kMakeMs);
  options.local = true;
  Cache::Lookup found =
      cache->GetOrLoad(KeyOf(*exchange), options, [cache, exchange, make](Cache::Outcome outcome) {
        if (outcome.load_token != 0) return MakeFor(cache, outcome.load_token, *exchange, make, nullptr);
        if (!outcome.status.ok()) return exchange->Fail(outcome.status);
        Reply(*exchange, std::string(outcome.value.view()), "HIT");
      });
  if (found.kind == Cache::Lookup::kLoad || (found.kind == Cache::Lookup::kHit && found.token != 0))
    return MakeFor(cache, found.token, *exchange, make, found.value);
  if (found.kind != Cache::Lookup::kHit) return;
  const bool stale = found.stale || followed == Followed::kNobodyKnows;
  Reply(*exchange, std::string(found.value.view()), stale ? "STALE" : "HIT");
}

void ForgetPages(Cache* cache, std::string_view user) {
  if (!user.empty()) cache->InvalidateLocal(TagOf(user));
  cache->InvalidateLocal(TagOf(""));  // of those who see all
}

void ForgetAllPages(Cache* cache) { cache->InvalidateLocal(kAllPages); }

}  // namespace mediagen
