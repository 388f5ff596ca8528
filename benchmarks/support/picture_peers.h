// PicturePeers: sharp and Pillow, each a living program beside the benchmark, over files in a folder of its
// own. Not thread-safe.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/flight.h"
#include "support/folder.h"
#include "support/peer.h"

namespace mediagen::bench {

class PicturePeers {
 public:
  PicturePeers();

  // Stores what every peer is given; the questions name it by "file".
  std::string Store(const std::string& name, const std::string& bytes);

  // Contenders that do a work of benchmarks/peers/node/pictures.mjs or benchmarks/peers/python/pictures.py.
  // This object outlives them.
  CostContender Sharp(const nlohmann::json& question);
  CostContender Pillow(const nlohmann::json& question);

  // What a work makes: `count` files.
  std::vector<std::string> SharpResults(const nlohmann::json& question, size_t count);
  std::vector<std::string> PillowResults(const nlohmann::json& question, size_t count);

  // As the peers' last answers said.
  std::string sharp_version, pillow_version;

 private:
  std::vector<std::string> Results(Peer* peer, nlohmann::json question, size_t count);

  Folder folder_;
  Peer sharp_, pillow_;
};

}  // namespace mediagen::bench
