#include "cachesim/input.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "cachesim/decoder.h"
#include "fmt/format.h"

namespace mediagen::cachesim {
namespace {

constexpr size_t kPiece = 64 << 10;

class FileInput final : public Input {
 public:
  FileInput(int file, std::string name) : file_(file), name_(std::move(name)), piece_(kPiece) {}
  ~FileInput() override {
    if (file_ != STDIN_FILENO) close(file_);
  }

  // Reads the first bytes and finds out what they are.
  Status Begin();
  StatusOr<size_t> Read(std::span<char> room) override;

 private:
  Status Fill();
  StatusOr<size_t> Decompress(std::span<char> room);
  uint64_t offset() const { return read_ - rest_.size(); }

  const int file_;
  const std::string name_;
  std::vector<char> piece_;
  std::span<const char> rest_;  // of piece_, not used yet
  uint64_t read_ = 0;           // bytes of the file
  bool ended_ = false;
  std::unique_ptr<Decoder> decoder_;
};

// Appends what a read gives to an emptied or short piece.
Status FileInput::Fill() {
  std::memmove(piece_.data(), rest_.data(), rest_.size());
  ssize_t size;
  do {
    size = read(file_, piece_.data() + rest_.size(), piece_.size() - rest_.size());
  } while (size < 0 && errno == EINTR);
  if (size < 0) {
    return Error(Code::kUnavailable,
                 fmt::format("{} cannot be read: {}", name_, std::strerror(errno)));  // NOLINT: one thread
  }
  rest_ = {piece_.data(), rest_.size() + static_cast<size_t>(size)};
  read_ += static_cast<uint64_t>(size);
  ended_ = size == 0;
  return OkStatus();
}

Status FileInput::Begin() {
  rest_ = {piece_.data(), 0};
  while (!ended_ && rest_.size() < kLongestMagic) {
    if (Status status = Fill(); !status.ok()) return status;
  }
  decoder_ = DecoderFor({rest_.data(), std::min(rest_.size(), kLongestMagic)});
  return OkStatus();
}

StatusOr<size_t> FileInput::Read(std::span<char> room) {
  if (decoder_) return Decompress(room);
  if (rest_.empty() && !ended_) {
    if (Status status = Fill(); !status.ok()) return status;
  }
  const size_t size = std::min(rest_.size(), room.size());
  std::memcpy(room.data(), rest_.data(), size);
  rest_ = rest_.subspan(size);
  return size;
}

StatusOr<size_t> FileInput::Decompress(std::span<char> room) {
  std::span<char> left = room;
  while (left.size() == room.size()) {
    if (rest_.empty() && !ended_) {
      if (Status status = Fill(); !status.ok()) return status;
    }
    const size_t before = rest_.size();
    if (Status status = decoder_->Decode(&rest_, &left, ended_); !status.ok())
      return Annotate(status, fmt::format("{}, near byte {}", name_, offset()));
    if (left.size() < room.size() || rest_.size() < before) continue;
    if (!ended_) {
      // It wants more than a piece has left of what it was given.
      if (Status status = Fill(); !status.ok()) return status;
      continue;
    }
    if (decoder_->Complete() && rest_.empty()) return 0;
    return Error(Code::kCorrupt, fmt::format("{} ends too early, at byte {}", name_, read_));
  }
  return room.size() - left.size();
}

}  // namespace

StatusOr<std::unique_ptr<Input>> OpenInput(const std::string& path) {
  const bool standard = path == "-";
  const int file = standard ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return Error(errno == ENOENT ? Code::kNotFound : Code::kUnavailable,
                 fmt::format("{} cannot be opened: {}", path, std::strerror(errno)));  // NOLINT: one thread
  }
  auto input = std::make_unique<FileInput>(file, standard ? "stdin" : path);
  if (Status status = input->Begin(); !status.ok()) return status;
  return input;
}

}  // namespace mediagen::cachesim
