// mediagen image …: the codec from a shell, without an engine.
#pragma once

#include <string>
#include <vector>

#include "settings.h"

namespace cli {

struct ImageOptions {
  std::vector<std::string> files;  // of convert: the last one is where to
  std::string raw;                 // decode: the file for the pixels
  int width = 0, height = 0, quality = 85;
  std::string fit = "inside", format;
  int jobs = 0;  // at once; 0: one a core
};

// Each answers kOk, or kFailed when any file was bad; each bad one has a line of reason on stderr.
int ProbeImages(const Settings& settings, const ImageOptions& options);
int ThumbHashImages(const Settings& settings, const ImageOptions& options);
int DecodeImage(const Settings& settings, const ImageOptions& options);
int ConvertImages(const Settings& settings, const ImageOptions& options);

}  // namespace cli
