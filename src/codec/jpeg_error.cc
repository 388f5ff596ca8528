#include "codec/jpeg_error.h"

#include <jerror.h>

#include <string>

#include "codec/formats.h"
#include "fmt/format.h"

namespace mediagen::codec {
namespace {

JpegError* Of(j_common_ptr jpeg) { return reinterpret_cast<JpegError*>(jpeg->err); }

void OnError(j_common_ptr jpeg) { Of(jpeg)->Stop(JpegError::kOwn); }

// A warning says that libjpeg goes on with what it guesses: half a picture. Those that stand here change no
// pixel, and other programs show such files without a word.
void OnMessage(j_common_ptr jpeg, int level) {
  if (level >= 0) return;  // a trace
  switch (jpeg->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
      return;
    default:
      Of(jpeg)->Stop(JpegError::kOwn);
  }
}

void Say(j_common_ptr) {}  // libjpeg would print

}  // namespace

jpeg_error_mgr* JpegError::Begin() {
  jpeg_std_error(&base);
  base.error_exit = OnError;
  base.emit_message = OnMessage;
  base.output_message = Say;
  reason = kOwn;
  return &base;
}

void JpegError::Stop(Reason why) {
  reason = why;
  longjmp(jump, 1);
}

Status JpegError::TooManyScans(int most) {
  return Error(Code::kTooLarge, fmt::format("the JPEG has more than {} scans", most),
               {.hint = "Save it with a common progressive script; those have about ten."});
}

Status JpegError::ToStatus(size_t size, const DecodeLimits& limits) {
  if (reason == kScans) return TooManyScans(limits.max_jpeg_scans);
  if (reason == kTime) {
    return Error(Code::kTooLarge, fmt::format("the JPEG took more than {} ms to decode", limits.max_ms),
                 {.hint = "Save it as a baseline JPEG."});
  }
  switch (base.msg_code) {
    case JERR_OUT_OF_MEMORY:
      return Error(Code::kOverloaded, "there is no memory for a JPEG");
    case JERR_BAD_PRECISION:
      return Error(Code::kUnsupported, "JPEGs of more than 8 bits a sample are not read",
                   {.hint = "Save it with 8 bits."});
    case JERR_SOF_UNSUPPORTED:
      return Error(Code::kUnsupported, "lossless and hierarchical JPEGs are not read",
                   {.hint = "Save it as a baseline or progressive JPEG."});
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JERR_INPUT_EOF:
    case JERR_INPUT_EMPTY:
      return Truncated(Format::kJpeg, size, "the picture data is not complete");
    default:
      break;
  }
  char words[JMSG_LENGTH_MAX] = "";
  jpeg_common_struct common{};
  common.err = &base;
  base.format_message(&common, words);
  return Broken(Format::kJpeg, words);
}

}  // namespace mediagen::codec
