// What is known about the inputs of fal's models, as data.
//
// Thread-safe: pure functions over constant data.
#pragma once

#include <string_view>

#include "provider/provider.h"

namespace mediagen::fal {

// How a model is told the shape of its pictures.
enum class Shape {
  kEither,       // not known: whichever the request names
  kImageSize,    // "image_size": five names, or width and height
  kAspectRatio,  // "aspect_ratio"
  kNone,
};

// Under which name a model takes reference pictures.
enum class ReferenceKey {
  kEither,     // not known: "image_url" for one, "image_urls" for several
  kImageUrl,   // one
  kImageUrls,  // an array
  kNone,
};

struct ModelTraits {
  bool image = true, video = true;  // what it makes
  int max_images = 1;               // what "num_images" may be; 1: it has no such input, or is not known to
  bool seed = true, negative_prompt = true;
  Shape shape = Shape::kEither;
  ReferenceKey references = ReferenceKey::kEither;
  int max_references = 16;  // beside the mask
  bool mask = true;         // "mask_url"
};

// Of the model "owner/app/path", by its longest known prefix; otherwise a default that passes on what is
// asked for, one picture a request.
ModelTraits TraitsOf(std::string_view model);

Capabilities CapabilitiesOf(const ModelTraits& traits);

}  // namespace mediagen::fal
