// Decoder: one compressed format, piece by piece. Not thread-safe.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "base/status.h"

namespace mediagen::cachesim {

class Decoder {
 public:
  virtual ~Decoder() = default;

  // Takes from the front of `*in` and fills `*out` from its front; both then begin behind what was used.
  // `last`: nothing comes after `*in`. kCorrupt, with a sentence that names no file.
  virtual Status Decode(std::span<const char>* in, std::span<char>* out, bool last) = 0;
  // Whether the stream may end where it is.
  virtual bool Complete() const = 0;
};

constexpr size_t kLongestMagic = 6;

// By a stream's first bytes, fewer than kLongestMagic only when it has no more. Null: not compressed.
std::unique_ptr<Decoder> DecoderFor(std::string_view first);

}  // namespace mediagen::cachesim
