// /v1/images and /v1/outputs/{id}/content: pictures and videos, by RFC 9110. What is in memory is answered on
// the caller's thread; everything else runs on the executor.
#include <algorithm>

#include "api/conditional.h"
#include "api/documents.h"
#include "api/picture_answer.h"
#include "api/picture_request.h"
#include "api/previews.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/rate.h"
#include "api/reply.h"
#include "api/router.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int kMostLoads = 3;

Keeping KeepingOf(Router& router, const ApiExchange& exchange, const Output& output, bool versioned) {
  Keeping keeping{output.visibility == "public", versioned, -1};
  if (exchange.shared_max_age_s >= 0) return {true, false, exchange.shared_max_age_s};
  if (exchange.signed_until_ms > 0)
    keeping.at_most_s =
        std::max<int64_t>(0, (exchange.signed_until_ms - router.parts().clock->WallMs()) / 1000);
  return keeping;
}

// One request for a variant, on its way.
struct VariantRequest {
  std::shared_ptr<ApiExchange> exchange;
  Recipe recipe;
  bool negotiated = false;
  std::optional<std::string> version;  // what the URL's `v` says
  int loads = 0;
};

std::string VariantUrl(const ApiExchange& exchange, const Card& card, const VariantRequest& wanted) {
  const Recipe& recipe = wanted.recipe;
  std::string url = fmt::format("{}/v1/images/{}", exchange.request.mount, card.output().id.text());
  const std::string v = VariantVersion(card.output().sha256, recipe, card.Effort(recipe));
  if (recipe == PreviewRecipe() && exchange.request.path.ends_with("/preview"))
    return fmt::format("{}/preview?v={}", url, v);
  url += "/image?";
  if (recipe.width > 0) url += fmt::format("w={}&", recipe.width);
  if (recipe.height > 0) url += fmt::format("h={}&", recipe.height);
  if (recipe.width > 0 || recipe.height > 0) url += fmt::format("fit={}&", FitName(recipe.fit));
  url += fmt::format("format={}", FormatName(recipe.format));
  if (recipe.quality > 0 && recipe.quality != Recipe().quality) url += fmt::format("&q={}", recipe.quality);
  return fmt::format("{}&v={}", url, v);
}

void SendVariant(Router& router, const Card& card, VariantRequest wanted);

void EndVariant(Router& router, const Card& card, VariantRequest wanted, bool refused_here,
                StatusOr<Picture> picture) {
  ApiExchange& exchange = *wanted.exchange;
  if (!picture.ok()) {
    // Somebody else began to make it and was refused: that is their limit and not this request's.
    if (CodeOf(picture.status()) == Code::kRateLimited && !refused_here && wanted.loads < kMostLoads)
      return SendVariant(router, card, std::move(wanted));
    if (refused_here) return exchange.Reply(std::move(*exchange.refusal));
    return exchange.Reply(PictureProblem(picture.status()));
  }
  const Output& output = card.output();
  if (!picture->remembered && picture->effort < FinalEffort(wanted.recipe))
    router.parts().pipeline->WantRefined(output);
  const bool versioned =
      wanted.version && *wanted.version == VariantVersion(output.sha256, wanted.recipe, picture->effort);
  exchange.Reply(PictureResponse(exchange.request, *picture,
                                 KeepingOf(router, exchange, output, versioned && !wanted.negotiated),
                                 wanted.negotiated, picture->remembered ? "HIT" : "MISS"));
}

void SendVariant(Router& router, const Card& card, VariantRequest wanted) {
  ++wanted.loads;
  auto refused = std::make_shared<bool>(false);
  auto exchange = wanted.exchange;
  auto may_render = [&router, exchange, refused](uint64_t pixels) -> Status {
    const int64_t megapixels = static_cast<int64_t>((pixels + 999'999) / 1'000'000);
    auto refusal =
        RefusedByRate(router, *exchange, {.rule = "render", .cost = std::max<int64_t>(1, megapixels)});
    if (!refusal) return OkStatus();
    *refused = true;
    exchange->refusal = std::move(refusal);
    return Error(Code::kRateLimited, "Too many pictures were asked for that must be made first.");
  };
  const Recipe recipe = wanted.recipe;
  router.parts().media->Variant(
      card, recipe, may_render,
      [&router, card, refused, wanted = std::move(wanted)](StatusOr<Picture> picture) {
        EndVariant(router, card, wanted, *refused, std::move(picture));
      });
}

// The card of the exchange's {id}, if the viewer may see it. Unknown and forbidden are told alike; who has
// not signed in is told to.
StatusOr<Card> VisibleCard(Router& router, const ApiExchange& exchange) {
  Status hidden = Error(Code::kNotFound, fmt::format("There is no picture {}.", Shorten(exchange.id, 60)));
  if (!exchange.viewer.all && exchange.viewer.user.empty())
    hidden = Error(Code::kUnauthorized, "This needs a signed-in user.", {.hint = "Sign in and try again."});
  auto id = Id::Parse(exchange.id);
  if (!id.ok()) return hidden;
  auto card = router.parts().media->FindCard(*id);
  if (!card.ok()) return CodeOf(card.status()) == Code::kNotFound ? hidden : card.status();
  if (!MayView(exchange.viewer, card->output())) return hidden;
  return card;
}

std::optional<Card> RememberedVisibleCard(Router& router, const ApiExchange& exchange) {
  auto id = Id::Parse(exchange.id);
  if (!id.ok()) return std::nullopt;
  auto card = router.parts().media->RememberedCard(*id);
  if (!card || !MayView(exchange.viewer, card->output())) return std::nullopt;
  return card;
}

Status NoPicture(const Output& output) {
  return Error(Code::kUnsupported, fmt::format("Output {} is a video; it has no pictures.", output.id.text()),
               {.hint = "Its bytes are at /v1/outputs/{id}/content.", .object = output.id.text()});
}

void SendAsked(Router& router, std::shared_ptr<ApiExchange> exchange, Card card, const Asked& asked) {
  if (!asked.recipe) {
    return exchange->Reply(OriginalResponse(exchange->request, card.output(), router.parts().media->blobs(),
                                            KeepingOf(router, *exchange, card.output(), false),
                                            asked.negotiated));
  }
  if (card.output().kind != "image") return exchange->Reply(PictureProblem(NoPicture(card.output())));
  VariantRequest wanted{exchange, *asked.recipe, asked.negotiated, asked.version, 0};
  auto is_current = [&] {
    return !asked.version ||
           *asked.version == VariantVersion(card.output().sha256, wanted.recipe, card.Effort(wanted.recipe));
  };
  if (!is_current()) {  // another process may have made a better one: the store knows
    router.parts().media->ForgetCard(card.output().id);
    if (auto fresh = router.parts().media->FindCard(card.output().id); fresh.ok()) card = *fresh;
    if (!is_current()) return exchange->Reply(CurrentUrl(VariantUrl(*exchange, card, wanted)));
  }
  SendVariant(router, card, std::move(wanted));
}

// Answers from memory on this thread, or goes on with `handler` on one that may block.
void PostOr(Router& router, std::shared_ptr<ApiExchange> exchange, Handler handler) {
  bool posted = router.parts().executor->Post([&router, exchange, handler] { handler(router, exchange); });
  if (!posted) exchange->Fail(Error(Code::kClosed, "The engine is closed."));
}

void SlowVariant(Router& router, std::shared_ptr<ApiExchange> exchange) {
  auto card = VisibleCard(router, *exchange);
  if (!card.ok()) return exchange->Fail(card.status());
  auto asked = ReadAsked(router.recipes(), *exchange, card->output());
  if (!asked.ok()) return exchange->Fail(asked.status());
  SendAsked(router, std::move(exchange), std::move(*card), *asked);
}

// From memory, or nothing was done.
bool FastVariant(Router& router, ApiExchange& exchange, const Card& card, const Asked& asked) {
  if (!asked.recipe || card.output().kind != "image") return false;
  auto picture = router.parts().media->RememberedVariant(card, *asked.recipe);
  if (!picture) return false;
  const bool versioned = asked.version.has_value();
  if (versioned && *asked.version != VariantVersion(card.output().sha256, *asked.recipe, picture->effort))
    return false;
  exchange.Reply(PictureResponse(exchange.request, *picture,
                                 KeepingOf(router, exchange, card.output(), versioned && !asked.negotiated),
                                 asked.negotiated, "HIT"));
  return true;
}

void SlowPreview(Router& router, std::shared_ptr<ApiExchange> exchange) {
  auto card = VisibleCard(router, *exchange);
  if (!card.ok()) return exchange->Fail(card.status());
  auto asked = ReadPreview(*exchange);
  if (!asked.ok()) return exchange->Fail(asked.status());
  SendAsked(router, std::move(exchange), std::move(*card), *asked);
}

}  // namespace

void GetImage(Router& router, std::shared_ptr<ApiExchange> exchange) {
  auto id = Id::Parse(exchange->id);
  if (!id.ok())
    return exchange->Fail(
        Error(Code::kNotFound, fmt::format("There is no picture {}.", Shorten(exchange->id, 60))));
  auto output = router.parts().pipeline->FindOutput(exchange->viewer, *id);
  if (!output.ok()) return exchange->Fail(output.status());
  auto query = TargetQuery::Parse(exchange->request.query);
  if (!query.ok()) return exchange->Fail(query.status());
  auto previews = query->Flag("previews");
  if (!previews.ok()) return exchange->Fail(previews.status());
  if (Status finished = query->Finish(); !finished.ok()) return exchange->Fail(finished);
  std::string record = router.parts().pipeline->OutputRecord(*output, exchange->request.mount);
  if (*previews) record = WithPreviews(record);
  exchange->Reply(JsonResponse(exchange->request, 200, std::move(record)));
}

void GetImageVariant(Router& router, std::shared_ptr<ApiExchange> exchange) {
  if (auto card = RememberedVisibleCard(router, *exchange)) {
    auto asked = ReadAsked(router.recipes(), *exchange, card->output());
    if (!asked.ok()) return exchange->Fail(asked.status());
    if (FastVariant(router, *exchange, *card, *asked)) return;
  }
  PostOr(router, std::move(exchange), SlowVariant);
}

void GetImagePreview(Router& router, std::shared_ptr<ApiExchange> exchange) {
  if (auto card = RememberedVisibleCard(router, *exchange)) {
    auto asked = ReadPreview(*exchange);
    if (!asked.ok()) return exchange->Fail(asked.status());
    if (FastVariant(router, *exchange, *card, *asked)) return;
  }
  PostOr(router, std::move(exchange), SlowPreview);
}

void GetOutputContent(Router& router, std::shared_ptr<ApiExchange> exchange) {
  auto card = VisibleCard(router, *exchange);
  if (!card.ok()) return exchange->Fail(card.status());
  const Output& output = card->output();
  auto version = exchange->query.Text("v");
  if (Status finished = exchange->query.Finish(); !finished.ok()) return exchange->Fail(finished);
  const std::string current = OriginalVersion(output.sha256);
  if (version && *version != current) {
    return exchange->Reply(CurrentUrl(
        fmt::format("{}/v1/outputs/{}/content?v={}", exchange->request.mount, output.id.text(), current)));
  }
  exchange->Reply(OriginalResponse(exchange->request, output, router.parts().media->blobs(),
                                   KeepingOf(router, *exchange, output, version.has_value()), false));
}

void GetShared(Router& router, std::shared_ptr<ApiExchange> exchange) {
  constexpr int64_t kSharedSeconds = 60;  // so long a link that was taken back may still be answered
  auto output = router.parts().pipeline->FindShared(exchange->id);
  if (!output.ok()) return exchange->Fail(output.status());
  exchange->shared_max_age_s = kSharedSeconds;
  auto card = router.parts().media->FindCard(*output);
  if (!card.ok()) return exchange->Fail(card.status());
  if (exchange->query.pairs().empty()) {
    return exchange->Reply(OriginalResponse(exchange->request, card->output(), router.parts().media->blobs(),
                                            KeepingOf(router, *exchange, card->output(), false), false));
  }
  auto asked = ReadAsked(router.recipes(), *exchange, card->output());
  if (!asked.ok()) return exchange->Fail(asked.status());
  asked->version.reset();  // the link is the name, whatever stands behind it
  SendAsked(router, std::move(exchange), std::move(*card), *asked);
}

}  // namespace mediagen
