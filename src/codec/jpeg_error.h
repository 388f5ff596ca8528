// How libjpeg's errors become statuses. libjpeg leaves by longjmp out of the middle of its work; whoever
// calls it sets `jump` in a function that holds nothing with a destructor. Internal to codec/.
#pragma once

#include <csetjmp>
#include <cstddef>
#include <cstdio>
// clang-format off: jpeglib.h needs what stands before it
#include <jpeglib.h>
// clang-format on

#include "codec/image.h"

namespace mediagen::codec {

struct JpegError {
  enum Reason { kOwn, kScans, kTime };  // kOwn: libjpeg's

  jpeg_error_mgr base;  // first: libjpeg's pointer to it is a pointer to this
  jmp_buf jump;
  Reason reason;

  // For the `err` of a (de)compressor.
  jpeg_error_mgr* Begin();
  [[noreturn]] void Stop(Reason why);
  // After a jump; `size` is the picture's.
  Status ToStatus(size_t size, const DecodeLimits& limits);
  static Status TooManyScans(int most);
};

}  // namespace mediagen::codec
