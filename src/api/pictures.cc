// /v1/images and /v1/outputs/{id}/content: pictures, by RFC 9110.
#include <algorithm>

#include "api/conditional.h"
#include "api/documents.h"
#include "api/negotiate.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/reply.h"
#include "api/router.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

// What a picture answer says besides its bytes.
struct Representation {
  std::string etag;  // quoted
  std::string media_type;
  std::string cache_control;
  bool negotiated = false;  // the URL names no format: the answer depends on Accept
  uint64_t size = 0;
};

// http.md "Caching": what the URL's `v` was allows; a private picture is never kept without asking again
// unless its URL names its version.
std::string CacheControl(const Output& output, bool versioned) {
  if (output.visibility == "public")
    return versioned ? "public, max-age=604800, s-maxage=2592000, immutable" : "public, max-age=3600";
  return versioned ? "private, max-age=31536000, immutable" : "private, no-cache";
}

// Status, headers and slice for one picture. Body is set by the caller, which knows where the bytes are;
// false: there is none (304, 412, 416).
bool Describe(const ApiRequest& request, const Representation& picture, Response* response,
              ByteRange* range) {
  HeaderList& headers = response->headers;
  headers = {{"ETag", picture.etag}, {"Cache-Control", picture.cache_control}};
  if (picture.negotiated) headers.emplace_back("Vary", "Accept");
  switch (CheckPreconditions(request, picture.etag)) {
    case Precondition::kNotModified:
      response->status = 304;
      return false;
    case Precondition::kFailed:
      *response =
          ProblemResponse(Error(Code::kConflict, "The picture is not the one that If-Match names."), 412);
      return false;
    case Precondition::kProceed:
      break;
  }
  headers.emplace_back("Content-Type", picture.media_type);
  headers.emplace_back("Accept-Ranges", "bytes");
  headers.emplace_back("X-Content-Type-Options", "nosniff");
  headers.emplace_back("Content-Security-Policy", "default-src 'none'; sandbox");
  headers.emplace_back("Content-Disposition", "inline");
  switch (CheckRange(request, picture.etag, picture.size, range)) {
    case RangeResult::kUnsatisfiable:
      *response = ProblemResponse(
          Error(Code::kInvalid,
                fmt::format("The picture has {} bytes; the range lies behind them.", picture.size)),
          416);
      response->headers.emplace_back("Content-Range", fmt::format("bytes */{}", picture.size));
      return false;
    case RangeResult::kPartial:
      response->status = 206;
      headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", range->offset,
                                                        range->offset + range->length - 1, picture.size));
      break;
    case RangeResult::kWhole:
      break;
  }
  headers.emplace_back("Content-Length", std::to_string(range->length));
  return true;
}

StatusOr<Output> VisibleImage(Router& router, const ApiExchange& exchange) {
  auto id = Id::Parse(exchange.id);
  if (!id.ok())
    return Error(Code::kNotFound, fmt::format("There is no picture {}.", Shorten(exchange.id, 60)));
  return router.parts().pipeline->FindOutput(exchange.viewer, *id);
}

Response Redirect(std::string location) {
  Response response;
  response.status = 307;
  response.headers = {{"Location", std::move(location)}, {"Cache-Control", "no-store"}};
  return response;
}

void SendVariant(Router& router, std::shared_ptr<ApiExchange> exchange, const Output& output,
                 const Recipe& recipe, bool negotiated, bool versioned) {
  const std::string cache_control = CacheControl(output, versioned);
  router.parts().media->Variant(
      output, recipe, [exchange, negotiated, cache_control](StatusOr<Picture> picture) {
        if (!picture.ok()) {
          // A broken picture is the picture's fault and not the request's.
          const Code code = CodeOf(picture.status());
          const bool broken = code == Code::kInvalid || code == Code::kUnsupported ||
                              code == Code::kTooLarge || code == Code::kCorrupt;
          return exchange->Reply(ProblemResponse(picture.status(), broken ? 422 : HttpStatusOf(code)));
        }
        Representation representation{fmt::format("\"{}\"", picture->sha256),
                                      std::string(MediaType(picture->format)), cache_control, negotiated,
                                      picture->length};
        Response response;
        ByteRange range;
        if (Describe(exchange->request, representation, &response, &range)) {
          response.body = BytesBody{picture->buffer, picture->offset + range.offset, range.length};
        }
        exchange->Reply(std::move(response));
      });
}

// The recipe of ?w&h&fit&format&q. kInvalid for what is not on the list.
StatusOr<Recipe> RecipeOf(Router& router, const ApiExchange& exchange, TargetQuery& query,
                          const Output& output, bool* negotiated) {
  Recipe recipe;
  ASSIGN_OR_RETURN(int64_t width, query.Int("w", 0, 1, 16384));
  ASSIGN_OR_RETURN(int64_t height, query.Int("h", 0, 1, 16384));
  recipe.width = static_cast<uint32_t>(width);
  recipe.height = static_cast<uint32_t>(height);
  ASSIGN_OR_RETURN(recipe.fit, FitByName(query.Text("fit").value_or("cover")));
  auto format = query.Text("format");
  *negotiated = !format;
  if (format) {
    recipe.format = FormatByName(*format);
    if (recipe.format == Format::kUnknown)
      return Error(Code::kInvalid, fmt::format("\"{}\" is not a picture format; jpeg, webp and png are.",
                                               Shorten(*format, 20)));
  } else {
    // Thumbnails of PNGs are JPEGs, too: the listed recipes have no alpha to keep.
    recipe.format = NegotiateFormat(exchange.request.Header("accept"), Format::kJpeg);
    (void)output;
  }
  ASSIGN_OR_RETURN(int64_t quality, query.Int("q", 85, 1, 100));
  recipe.quality = recipe.format == Format::kPng ? 0 : static_cast<int>(quality);
  if (router.recipes().Allows(recipe)) return recipe;
  return Error(Code::kInvalid, fmt::format("The size {} is not offered.", recipe.name()),
               {.hint = "Offered are 150, 300 and 600 squares (w, h, fit=cover, format=jpeg or webp) and "
                        "what \"media.recipes\" of the configuration lists."});
}

}  // namespace

void GetImage(Router& router, std::shared_ptr<ApiExchange> exchange) {
  auto output = VisibleImage(router, *exchange);
  if (!output.ok()) return exchange->Fail(output.status());
  exchange->Reply(JsonResponse(exchange->request, 200,
                               router.parts().pipeline->OutputRecord(*output, exchange->request.mount)));
}

void GetImageVariant(Router& router, std::shared_ptr<ApiExchange> exchange) {
  auto output = VisibleImage(router, *exchange);
  if (!output.ok()) return exchange->Fail(output.status());
  auto query = TargetQuery::Parse(exchange->request.query);
  if (!query.ok()) return exchange->Fail(query.status());
  if (exchange->request.query.empty()) {
    return exchange->Reply(Redirect(fmt::format("{}/v1/outputs/{}/content?v={}", exchange->request.mount,
                                                output->id.text(), OriginalVersion(output->sha256))));
  }
  bool negotiated = false;
  auto recipe = RecipeOf(router, *exchange, *query, *output, &negotiated);
  if (!recipe.ok()) return exchange->Fail(recipe.status());
  auto version = query->Text("v");
  if (Status finished = query->Finish(); !finished.ok()) return exchange->Fail(finished);
  const std::string current = VariantVersion(output->sha256, *recipe);
  if (version && *version != current) {
    return exchange->Reply(
        Redirect(fmt::format("{}/v1/images/{}/image?w={}&h={}&fit={}&format={}&v={}", exchange->request.mount,
                             output->id.text(), recipe->width, recipe->height, FitName(recipe->fit),
                             recipe->format == Format::kJpeg ? "jpeg" : Extension(recipe->format), current)));
  }
  SendVariant(router, exchange, *output, *recipe, negotiated, version.has_value() && !negotiated);
}

void GetImagePreview(Router& router, std::shared_ptr<ApiExchange> exchange) {
  auto output = VisibleImage(router, *exchange);
  if (!output.ok()) return exchange->Fail(output.status());
  auto query = TargetQuery::Parse(exchange->request.query);
  if (!query.ok()) return exchange->Fail(query.status());
  auto version = query->Text("v");
  if (Status finished = query->Finish(); !finished.ok()) return exchange->Fail(finished);
  const std::string current = VariantVersion(output->sha256, PreviewRecipe());
  if (version && *version != current) {
    return exchange->Reply(Redirect(
        fmt::format("{}/v1/images/{}/preview?v={}", exchange->request.mount, output->id.text(), current)));
  }
  SendVariant(router, exchange, *output, PreviewRecipe(), false, version.has_value());
}

void GetOutputContent(Router& router, std::shared_ptr<ApiExchange> exchange) {
  auto output = VisibleImage(router, *exchange);
  if (!output.ok()) return exchange->Fail(output.status());
  auto query = TargetQuery::Parse(exchange->request.query);
  if (!query.ok()) return exchange->Fail(query.status());
  auto version = query->Text("v");
  if (Status finished = query->Finish(); !finished.ok()) return exchange->Fail(finished);
  const std::string current = OriginalVersion(output->sha256);
  if (version && *version != current) {
    return exchange->Reply(Redirect(
        fmt::format("{}/v1/outputs/{}/content?v={}", exchange->request.mount, output->id.text(), current)));
  }
  Representation representation{fmt::format("\"{}\"", output->sha256), output->media_type,
                                CacheControl(*output, version.has_value()), false,
                                static_cast<uint64_t>(output->bytes)};
  Response response;
  ByteRange range;
  if (Describe(exchange->request, representation, &response, &range)) {
    auto file = router.parts().media->blobs()->Open(output->blob_key);
    if (!file.ok()) {
      return exchange->Fail(CodeOf(file.status()) == Code::kNotFound
                                ? Error(Code::kCorrupt,
                                        fmt::format("The file of picture {} is missing.", output->id.text()),
                                        {.hint = "Restore the blobs from a backup."})
                                : file.status());
    }
    response.body = FileBody{std::move(file->fd), range.offset, range.length};
  }
  exchange->Reply(std::move(response));
}

}  // namespace mediagen
