// Rows of Records as the contract cases want them. Needs ContractBackend; see store_support.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "contract/store_support.h"

namespace mediagen {

namespace records_contract {

inline Generation NewGeneration(ContractBackend& backend, std::string user, int64_t created_ms) {
  Generation generation;
  generation.id = backend.NewId();
  generation.user = std::move(user);
  generation.provider = "sketch";
  generation.model = "sketch-1";
  generation.kind = "image";
  generation.prompt = "a red boat";
  generation.request_json = R"({"n":1})";
  generation.created_ms = created_ms;
  return generation;
}

inline Attempt NewAttempt(ContractBackend& backend, const Id& generation, int part, int attempt_try) {
  Attempt attempt;
  attempt.id = backend.NewId();
  attempt.generation = generation;
  attempt.part = part;
  attempt.attempt_try = attempt_try;
  attempt.provider = "fal";
  attempt.nonce = "nonce";
  attempt.created_ms = 1000;
  return attempt;
}

inline Output NewOutput(ContractBackend& backend, const Id& generation, int index) {
  Output output;
  output.id = backend.NewId();
  output.generation = generation;
  output.user = "ada";
  output.index = index;
  output.media_type = "image/png";
  output.width = 640;
  output.height = 480;
  output.bytes = 12345;
  output.blob_key = "generated-images/ada/x/0.1.0.png";
  output.created_ms = 5;
  return output;
}

// All ids of a listing, page by page.
inline std::vector<Id> Walk(Store& store, const GenerationFilter& filter, int page_size) {
  std::vector<Id> ids;
  std::optional<PageKey> after;
  while (true) {
    std::vector<Generation> page;
    Look(store,
         [&](const Snapshot& s) { page = Must(s.records().ListGenerations(filter, after, page_size)); });
    for (const Generation& row : page) ids.push_back(row.id);
    if (page.size() < static_cast<size_t>(page_size)) return ids;
    after = PageKey{page.back().created_ms, page.back().id};
  }
}

}  // namespace records_contract

}  // namespace mediagen
