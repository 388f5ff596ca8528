#include "api/picture_request.h"

#include "api/negotiate.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

StatusOr<Format> AskedFormat(const ApiRequest& request, TargetQuery& query, Format source, bool* negotiated) {
  auto name = query.Text("format");
  *negotiated = !name;
  if (!name) {
    const std::string_view accept = request.Header("accept");
    // A WebP is sent as it is to whoever takes WebP at all.
    if (source == Format::kWebp && AcceptQuality(accept, MediaType(source)) > 0) return source;
    return NegotiateFormat(accept, source);
  }
  const Format format = FormatByName(*name);
  if (format == Format::kJpeg || format == Format::kPng || format == Format::kWebp) return format;
  return Error(Code::kInvalid,
               fmt::format("\"{}\" is not a picture format; jpeg, webp and png are.", Shorten(*name, 20)),
               {.object = "format"});
}

Status NotOffered(const Recipe& recipe) {
  return Error(
      Code::kInvalid, fmt::format("The size {} is not offered.", recipe.name()),
      {.hint = "Offered are squares of 64, 150, 300 and 600 (w, h, fit=cover, format=jpeg or webp), the full "
               "size (format alone) and what \"media.recipes\" of the configuration lists; anything "
               "else needs a signed URL."});
}

}  // namespace

StatusOr<Asked> ReadAsked(const RecipeList& offered, ApiExchange& exchange, const Output& output) {
  TargetQuery& query = exchange.query;
  Recipe recipe;
  ASSIGN_OR_RETURN(int64_t width, query.Int("w", 0, 1, 16384));
  ASSIGN_OR_RETURN(int64_t height, query.Int("h", 0, 1, 16384));
  recipe.width = static_cast<uint32_t>(width);
  recipe.height = static_cast<uint32_t>(height);
  const bool full_size = width == 0 && height == 0;
  ASSIGN_OR_RETURN(recipe.fit, FitByName(query.Text("fit").value_or(full_size ? "inside" : "cover")));
  if (full_size) recipe.fit = Fit::kInside;
  ASSIGN_OR_RETURN(int64_t quality, query.Int("q", Recipe().quality, 1, 100));
  Asked asked;
  asked.version = query.Text("v");
  const Format source = FormatOfMediaType(output.media_type);
  // Thumbnails of PNGs are JPEGs, too: the listed recipes have no alpha to keep.
  ASSIGN_OR_RETURN(recipe.format, AskedFormat(exchange.request, query, full_size ? source : Format::kJpeg,
                                              &asked.negotiated));
  RETURN_IF_ERROR(query.Finish());
  recipe.quality = recipe.format == Format::kPng ? 0 : static_cast<int>(quality);
  // The source's own format at full size is the original; an animation is shown as it is.
  if (full_size && asked.negotiated && (recipe.format == source || source == Format::kGif)) return asked;
  if (exchange.signed_until_ms == 0 && !offered.Allows(recipe)) return NotOffered(recipe);
  asked.recipe = recipe;
  return asked;
}

StatusOr<Asked> ReadPreview(ApiExchange& exchange) {
  Asked asked;
  asked.recipe = PreviewRecipe();
  asked.version = exchange.query.Text("v");
  RETURN_IF_ERROR(exchange.query.Finish());
  return asked;
}

}  // namespace mediagen
