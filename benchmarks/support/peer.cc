#include "support/peer.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace mediagen::bench {
namespace {

[[noreturn]] void Die(const std::string& name, const std::string& what) {
  std::fprintf(stderr, "benchmark: %s %s\n", name.c_str(), what.c_str());
  std::exit(1);
}

std::string InFolder(const char* variable, const std::string& file) {
  const char* folder = std::getenv(variable);
  return std::string(folder == nullptr ? "." : folder) + "/" + file;
}

}  // namespace

Peer::Peer(std::vector<std::string> command) : name_(command.back()) {
  int to[2], from[2];
  if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) Die(name_, "has no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to[0], 0);
  posix_spawn_file_actions_adddup2(&actions, from[1], 1);
  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (std::string& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  if (posix_spawnp(&child_, words[0], &actions, nullptr, words.data(), environ) != 0)
    Die(command.front(), "did not start; \"./run bench\" installs what the benchmarks need.");
  posix_spawn_file_actions_destroy(&actions);
  close(to[0]);
  close(from[1]);
  questions_ = fdopen(to[1], "w");
  answers_ = fdopen(from[0], "r");
}

Peer::~Peer() {
  std::fclose(questions_);
  waitpid(child_, nullptr, 0);
  std::fclose(answers_);
}

nlohmann::json Peer::Ask(const nlohmann::json& question) {
  std::fprintf(questions_, "%s\n", question.dump().c_str());
  std::fflush(questions_);
  char* line = nullptr;
  size_t room = 0;
  const ssize_t size = getline(&line, &room, answers_);
  const std::string text(line == nullptr ? "" : line, size < 0 ? 0 : static_cast<size_t>(size));
  std::free(line);
  auto answer = nlohmann::json::parse(text, nullptr, false);
  if (!answer.is_object()) Die(name_, "gave no answer: " + text);
  if (answer.contains("error")) Die(name_, answer["error"].dump());
  return answer;
}

std::vector<std::string> NodePeer(const std::string& program) {
  return {"node", InFolder("MEDIAGEN_NODE_PEERS", program)};
}

std::vector<std::string> PythonPeer(const std::string& program) {
  return {InFolder("MEDIAGEN_PYTHON_PEERS", "bin/python"), InFolder("MEDIAGEN_PYTHON_PEERS", program)};
}

std::vector<std::string> RustPeer() {
  if (std::getenv("MEDIAGEN_RUST_PEERS") == nullptr) return {};
  return {InFolder("MEDIAGEN_RUST_PEERS", "target/release/peers")};
}

std::vector<std::string> GoPeer() {
  if (std::getenv("MEDIAGEN_GO_PEERS") == nullptr) return {};
  return {InFolder("MEDIAGEN_GO_PEERS", "peers")};
}

std::vector<std::string> JavaPeer(const std::string& program) {
  if (std::getenv("MEDIAGEN_JAVA_PEERS") == nullptr) return {};
  const std::string classes = InFolder("MEDIAGEN_JAVA_PEERS", "target/classes");
  return {"java", "-cp", classes + ":" + InFolder("MEDIAGEN_JAVA_PEERS", "target/lib/*"), program};
}

}  // namespace mediagen::bench
