// Card: what serving has to know of an output, flat in one buffer, so that the cache holds and charges it
// like any other value.
//
// Thread-safe: immutable.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/buffer.h"
#include "media/recipe.h"
#include "store/records.h"

namespace mediagen {

class Card {
 public:
  Card() = default;
  // Of a row and its variants as one snapshot has them. Variants of another codec version are left out: they
  // will be made again.
  static Card Of(const Output& output, std::span<const Variant> variants);
  // What buffer() of another card gave.
  static Card Read(BufferRef buffer);

  const Output& output() const { return output_; }
  const BufferRef& buffer() const { return buffer_; }
  // With which effort the recipe's variant is stored; nothing when it is not.
  std::optional<int> StoredEffort(const Recipe& recipe) const;
  // The effort of what a request for this recipe gets now.
  int Effort(const Recipe& recipe) const { return StoredEffort(recipe).value_or(FirstEffort(recipe)); }
  // Whether a stored variant is still to be made with its final effort.
  bool HasDrafts() const;

 private:
  Output output_;
  BufferRef buffer_;
  std::string_view variants_;  // within buffer_
};

}  // namespace mediagen
