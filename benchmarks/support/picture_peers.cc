#include "support/picture_peers.h"

#include "support/photo.h"

namespace mediagen::bench {
namespace {

// For the name of a contender: which of the ways of one peer it is.
std::string FormOf(const nlohmann::json& question) { return question.value("form", std::string()); }

}  // namespace

PicturePeers::PicturePeers() : sharp_(NodePeer("pictures.mjs")), pillow_(PythonPeer("pictures.py")) {}

std::string PicturePeers::Store(const std::string& name, const std::string& bytes) {
  const std::string path = folder_.path + "/" + name;
  WriteFile(path, bytes);
  return path;
}

CostContender PicturePeers::Sharp(const nlohmann::json& question) {
  return {"sharp " + FormOf(question), [this, question] {
            const nlohmann::json answer = sharp_.Ask(question);
            sharp_version = answer.at("version");
            return Cost{answer.at("ms"), answer.at("cpuMs")};
          }};
}

CostContender PicturePeers::Pillow(const nlohmann::json& question) {
  return {"Pillow " + FormOf(question), [this, question] {
            const nlohmann::json answer = pillow_.Ask(question);
            pillow_version = answer.at("version");
            return Cost{answer.at("ms"), answer.at("cpuMs")};
          }};
}

std::vector<std::string> PicturePeers::SharpResults(const nlohmann::json& question, size_t count) {
  return Results(&sharp_, question, count);
}

std::vector<std::string> PicturePeers::PillowResults(const nlohmann::json& question, size_t count) {
  return Results(&pillow_, question, count);
}

std::vector<std::string> PicturePeers::Results(Peer* peer, nlohmann::json question, size_t count) {
  const std::string out = folder_.path + "/out";
  question["out"] = out;
  question["times"] = 1;
  question["flight"] = 1;
  peer->Ask(question);
  std::vector<std::string> files;
  for (size_t i = 0; i < count; ++i) files.push_back(ReadFile(out + "." + std::to_string(i)));
  return files;
}

}  // namespace mediagen::bench
