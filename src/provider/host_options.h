// What the configuration says of a provider of type "host": what its workers can do, and whether that may
// cost money.
#pragma once

#include "base/json.h"
#include "provider/provider.h"

namespace mediagen {

struct HostOptions {
  // Whether a job may have cost money once it was claimed: then it is not run again by itself.
  bool paid = false;
  Capabilities capabilities;
};

// The defaults: free; pictures of any model, four a job, with seeds, negative prompts, references, sizes and
// aspect ratios, for the worker gets all of them and knows best.
HostOptions DefaultHostOptions();

// Takes the keys "billing", "kinds", "models", "maxN", "maxNPerJob", "seed", "negativePrompt", "references",
// "size", "aspectRatio", "maxWidth" and "maxHeight"; errors are the reader's.
HostOptions ReadHostOptions(FieldReader& fields);

// "provider:mine", the queue of the provider "mine".
std::string HostQueueOf(std::string_view provider);

}  // namespace mediagen
