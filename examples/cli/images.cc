#include "images.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "fmt/format.h"
#include "mediagen/image.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;
using mediagen::image;

// "" when it worked, else the reason.
using Reason = std::string;
using Work = std::function<Reason(const std::string& file)>;

constexpr uintmax_t kMaxFile = 256u << 20;

Reason ReadFile(const std::string& path, std::string* bytes) {
  std::error_code failed;
  const uintmax_t size = fs::file_size(path, failed);
  if (failed) return failed.message();
  if (size > kMaxFile) return fmt::format("it has {} bytes; at most {} are read", size, kMaxFile);
  std::ifstream in(path, std::ios::binary);
  bytes->resize(size);
  if (!in.read(bytes->data(), static_cast<std::streamsize>(size))) return "it cannot be read";
  return "";
}

// Whole or not at all: beside it first, then in its place.
Reason WriteFile(const std::string& path, std::string_view bytes) {
  const std::string beside = fmt::format("{}.{}.tmp", path, getpid());
  {
    std::ofstream out(beside, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!out.flush()) {
      std::error_code ignored;
      fs::remove(beside, ignored);
      return fmt::format("{} cannot be written", path);
    }
  }
  std::error_code failed;
  fs::rename(beside, path, failed);
  return failed ? fmt::format("{} cannot be written: {}", path, failed.message()) : "";
}

// Does `work` for every file, some at once; the bar is drawn on a terminal alone. Lines of reason come as
// they happen.
class Batch {
 public:
  Batch(const Settings& settings, const std::vector<std::string>& files, int jobs, bool bar)
      : settings_(settings), files_(files), bar_(bar && files.size() > 1 && isatty(STDERR_FILENO) != 0) {
    const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    jobs_ = std::min(files.size(), jobs > 0 ? static_cast<size_t>(jobs) : size_t{cores});
  }

  int Run(const Work& work) {
    std::vector<std::thread> threads;
    for (size_t i = 1; i < jobs_; ++i) threads.emplace_back([&] { TakeFiles(work); });
    TakeFiles(work);
    for (std::thread& thread : threads) thread.join();
    if (bar_) std::fprintf(stderr, "\r\x1B[K");
    return bad_ == 0 ? kOk : kFailed;
  }

 private:
  void TakeFiles(const Work& work) {
    for (size_t i; (i = next_++) < files_.size();) {
      const Reason reason = work(files_[i]);
      std::lock_guard lock(mutex_);
      ++done_;
      if (!reason.empty()) Say(files_[i], reason);
      if (bar_) Draw();
    }
  }
  void Say(const std::string& file, const Reason& reason) {
    ++bad_;
    if (bar_) std::fprintf(stderr, "\r\x1B[K");
    if (settings_.json)
      std::fprintf(stderr, "%s\n", Json{{"file", file}, {"error", reason}}.dump().c_str());
    else
      std::fprintf(stderr, "%s: %s\n", file.c_str(), reason.c_str());
  }
  void Draw() const {
    constexpr size_t kCells = 30;
    const size_t full = done_ * kCells / files_.size();
    std::string cells;
    for (size_t i = 0; i < kCells; ++i) cells += i < full ? "█" : "░";
    std::fprintf(stderr, "\r%s %zu of %zu", cells.c_str(), done_, files_.size());
  }

  const Settings& settings_;
  const std::vector<std::string>& files_;
  const bool bar_;
  size_t jobs_ = 1;
  std::atomic<size_t> next_{0};
  std::mutex mutex_;
  size_t done_ = 0, bad_ = 0;
};

// One document a line, in whole lines whoever prints.
void PrintDocument(const Json& document) {
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  PrintLine(document.dump());
}

Reason Probe(const std::string& file) {
  std::string bytes;
  if (Reason reason = ReadFile(file, &bytes); !reason.empty()) return reason;
  auto said = image::probe(bytes);
  if (!said) return said.error().message;
  Json document = {{"file", file}};
  document.update(Parse(*said));
  PrintDocument(document);
  return "";
}

std::string Base64(std::string_view bytes) {
  mediagen_buffer* out = nullptr;
  mediagen_base64_encode({bytes.data(), bytes.size()}, &out);
  return mediagen::bytes(out).string();
}

Reason ThumbHash(const std::string& file) {
  std::string bytes;
  if (Reason reason = ReadFile(file, &bytes); !reason.empty()) return reason;
  auto picture = image::decode(bytes, R"({"width":100,"height":100})");
  if (!picture) return picture.error().message;
  auto hash = picture->thumbhash();
  if (!hash) return hash.error().message;
  auto average = picture->average();
  if (!average) return average.error().message;
  PrintDocument({{"file", file}, {"thumbHash", Base64(hash->view())}, {"average", Parse(*average)}});
  return "";
}

// RGBA, whatever the picture has.
std::string Rgba(const image& picture) {
  const mediagen::bytes pixels = picture.pixels();
  if (picture.channels() == 4) return pixels.string();
  std::string out;
  out.reserve(size_t{picture.width()} * picture.height() * 4);
  const std::string_view rgb = pixels.view();
  for (size_t i = 0; i + 3 <= rgb.size(); i += 3) out.append(rgb.substr(i, 3)).push_back('\xFF');
  return out;
}

struct Conversion {
  std::string decode, resize, encode;  // options
  bool resized = false;
};

Reason Convert(const std::string& from, const std::string& to, const Conversion& how) {
  std::string bytes;
  if (Reason reason = ReadFile(from, &bytes); !reason.empty()) return reason;
  auto picture = image::decode(bytes, how.decode);
  if (!picture) return picture.error().message;
  if (how.resized) {
    auto resized = picture->resize(how.resize);
    if (!resized) return resized.error().message;
    *picture = *std::move(resized);
  }
  auto encoded = picture->encode(how.encode);
  return encoded ? WriteFile(to, encoded->view()) : encoded.error().message;
}

std::string FormatOf(const std::string& path) {
  const std::string extension = fs::path(path).extension().string();
  return extension.empty() ? "" : extension.substr(1);
}

}  // namespace

int ProbeImages(const Settings& settings, const ImageOptions& options) {
  return Batch(settings, options.files, options.jobs, false).Run(Probe);
}

int ThumbHashImages(const Settings& settings, const ImageOptions& options) {
  return Batch(settings, options.files, options.jobs, false).Run(ThumbHash);
}

int DecodeImage(const Settings& settings, const ImageOptions& options) {
  return Batch(settings, options.files, 1, false).Run([&](const std::string& file) -> Reason {
    std::string bytes;
    if (Reason reason = ReadFile(file, &bytes); !reason.empty()) return reason;
    auto picture = image::decode(bytes);
    return picture ? WriteFile(options.raw, Rgba(*picture)) : picture.error().message;
  });
}

int ConvertImages(const Settings& settings, const ImageOptions& options) {
  if (options.files.size() < 2)
    return Fail(settings, "A conversion names a picture and where it goes.", "mediagen image convert IN OUT");
  const std::string to = options.files.back();
  const std::vector<std::string> from(options.files.begin(), options.files.end() - 1);
  const bool folder = from.size() > 1 || fs::is_directory(to);
  std::error_code failed;
  if (folder) fs::create_directories(to, failed);
  if (failed) return Fail(settings, fmt::format("{} cannot be made: {}", to, failed.message()));
  std::string format = options.format;
  if (format.empty()) format = folder ? "webp" : FormatOf(to);
  Conversion how;
  how.resized = options.width > 0 || options.height > 0;
  const Json size = {{"width", options.width}, {"height", options.height}};
  Json resize = size;
  resize["fit"] = options.fit;
  how.resize = resize.dump();
  how.decode = size.dump();  // a JPEG is reduced while it is decoded
  how.encode = Json{{"format", format}, {"quality", options.quality}}.dump();
  const auto target_of = [&](const std::string& file) {
    return folder ? (fs::path(to) / fs::path(file).stem()).string() + "." + format : to;
  };
  std::map<std::string, std::string> targets;  // by where they go
  for (const std::string& file : from) {
    const std::string target = target_of(file);
    auto [other, is_new] = targets.emplace(target, file);
    if (!is_new)
      return Fail(settings, fmt::format("{} and {} would both become {}.", other->second, file, target),
                  "Convert them into different folders.");
  }
  return Batch(settings, from, options.jobs, true).Run([&](const std::string& file) {
    return Convert(file, target_of(file), how);
  });
}

}  // namespace cli
