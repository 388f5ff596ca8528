// What a model name of Replicate means on the wire, and what is known about some models' inputs.
//
// Thread-safe: pure functions over constant data.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace mediagen::replicate {

// Where a prediction is created.
struct Target {
  std::string path;         // below the base URL: "/models/owner/name/predictions", "/predictions",
                            // "/deployments/owner/name/predictions"
  std::string model;        // "owner/name", "" where only a version was named
  std::string version;      // 64 lower-case hex digits, or ""
  bool deployment = false;  // `model` is a deployment's name
};

// kInvalid when `model` is none of the four forms.
StatusOr<Target> ParseTarget(std::string_view model);

// How a model takes reference pictures.
enum class ReferenceKeys {
  kImage,        // one, as "image"
  kInputImage,   // one, as "input_image"
  kInputImages,  // "input_image", "input_image_2" … "input_image_8"
  kImageInput,   // an array, "image_input"
};

struct ModelTraits {
  int max_outputs =
      1;  // what "num_outputs" may be; 1: the model has no such input, or it is not known to have it
  ReferenceKeys references = ReferenceKeys::kImage;
  int max_references = 1;
};

// Of the model `owner/name`, by its longest known prefix; the cautious default otherwise.
ModelTraits TraitsOf(std::string_view model);

// Whether `id` is a prediction id that may stand in a path: 1 to 100 of [A-Za-z0-9_-].
bool IsPredictionId(std::string_view id);

}  // namespace mediagen::replicate
