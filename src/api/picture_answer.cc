#include "api/picture_answer.h"

#include <algorithm>

#include "api/conditional.h"
#include "api/problem.h"
#include "fmt/format.h"

namespace mediagen {

std::string CacheControl(const Keeping& keeping) {
  constexpr int64_t kHour = 3600, kWeek = 7 * 24 * kHour, kMonth = 30 * 24 * kHour, kYear = 365 * 24 * kHour;
  auto bounded = [&](int64_t seconds) {
    return keeping.at_most_s < 0 ? seconds : std::min(seconds, keeping.at_most_s);
  };
  // What may be kept only until a signature ends is not immutable: its end is the reason to ask again.
  const char* immutable = keeping.at_most_s < 0 ? ", immutable" : "";
  if (!keeping.is_public) {
    if (!keeping.is_versioned) return "private, no-cache";
    return fmt::format("private, max-age={}{}", bounded(kYear), immutable);
  }
  if (!keeping.is_versioned) return fmt::format("public, max-age={}", bounded(kHour));
  return fmt::format("public, max-age={}, s-maxage={}{}", bounded(kWeek), bounded(kMonth), immutable);
}

bool DescribePicture(const ApiRequest& request, const Representation& picture, Response* response,
                     ByteRange* range) {
  const std::string etag = fmt::format("\"{}\"", picture.sha256);
  HeaderList& headers = response->headers;
  headers.reserve(12);
  headers.emplace_back("ETag", etag);
  headers.emplace_back("Cache-Control", CacheControl(picture.keeping));
  if (picture.negotiated) headers.emplace_back("Vary", "Accept");
  switch (CheckPreconditions(request, etag)) {
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
  switch (CheckRange(request, etag, picture.size, range)) {
    case RangeResult::kUnsatisfiable:
      *response = ProblemResponse(
          Error(Code::kInvalid,
                fmt::format("The picture has {} bytes; the range lies behind them.", picture.size)),
          416);
      response->headers.emplace_back("Content-Range", fmt::format("bytes */{}", picture.size));
      response->headers.emplace_back("Accept-Ranges", "bytes");
      return false;
    case RangeResult::kPartial:
      response->status = 206;
      headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", range->offset,
                                                        range->offset + range->length - 1, picture.size));
      break;
    case RangeResult::kWhole:
      break;
  }
  headers.emplace_back("Content-Type", picture.media_type);
  headers.emplace_back("Accept-Ranges", "bytes");
  headers.emplace_back("X-Content-Type-Options", "nosniff");
  headers.emplace_back("Content-Security-Policy", "default-src 'none'; sandbox");
  headers.emplace_back("Content-Disposition", "inline");
  headers.emplace_back("Content-Length", std::to_string(range->length));
  return true;
}

Response PictureResponse(const ApiRequest& request, const Picture& picture, const Keeping& keeping,
                         bool negotiated, std::string_view x_cache) {
  Response response;
  ByteRange range;
  const Representation representation{picture.sha256, MediaType(picture.format), keeping, negotiated,
                                      picture.length};
  if (DescribePicture(request, representation, &response, &range))
    response.body = BytesBody{picture.buffer, picture.offset + range.offset, range.length};
  response.headers.emplace_back("X-Cache", x_cache);
  return response;
}

Response OriginalResponse(const ApiRequest& request, const Output& output, BlobStore* blobs,
                          const Keeping& keeping, bool negotiated) {
  Response response;
  ByteRange range;
  const Representation representation{output.sha256, output.media_type, keeping, negotiated,
                                      static_cast<uint64_t>(output.bytes)};
  if (!DescribePicture(request, representation, &response, &range)) return response;
  if (request.method == "HEAD") {  // nobody reads the file
    return response;
  }
  auto file = blobs->Open(output.blob_key);
  if (!file.ok()) {
    if (CodeOf(file.status()) != Code::kNotFound) return ProblemResponse(file.status());
    return ProblemResponse(Error(Code::kCorrupt,
                                 fmt::format("The file of picture {} is missing.", output.id.text()),
                                 {.hint = "Restore the blobs from a backup."}));
  }
  response.body = FileBody{std::move(file->fd), range.offset, range.length};
  return response;
}

Response CurrentUrl(std::string location) {
  Response response;
  response.status = 307;
  response.headers = {{"Location", std::move(location)}, {"Cache-Control", "no-store"}};
  return response;
}

Response PictureProblem(const Status& status) {
  const Code code = CodeOf(status);
  return ProblemResponse(status, IsPicturesFault(code) ? 422 : HttpStatusOf(code));
}

}  // namespace mediagen
