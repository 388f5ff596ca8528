#include "pictures.h"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "fmt/format.h"

namespace cli {
namespace {

mediagen::error Broken(std::string message) { return {MEDIAGEN_UNAVAILABLE, std::move(message), "", ""}; }

std::string_view Extension(std::string_view media_type) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kKnown = {{{"image/png", "png"},
                                                                                    {"image/jpeg", "jpg"},
                                                                                    {"image/webp", "webp"},
                                                                                    {"image/gif", "gif"},
                                                                                    {"image/avif", "avif"},
                                                                                    {"video/mp4", "mp4"},
                                                                                    {"video/webm", "webm"}}};
  for (const auto& [type, extension] : kKnown) {
    if (type == media_type) return extension;
  }
  return "bin";
}

// Appends the part of an open file, which is closed here.
bool WriteFile(const mediagen_body& body, std::ofstream& file) {
  std::vector<char> block(1 << 16);
  uint64_t done = 0;
  while (done < body.length) {
    size_t want = static_cast<size_t>(std::min<uint64_t>(block.size(), body.length - done));
    ssize_t got = pread(body.fd, block.data(), want, static_cast<off_t>(body.offset + done));
    if (got <= 0) break;
    file.write(block.data(), got);
    done += static_cast<uint64_t>(got);
  }
  close(body.fd);
  return done == body.length;
}

}  // namespace

mediagen::result<std::string> CopyOut(mediagen::engine& engine, const Json& output, const std::string& dir) {
  std::string id = TextAt(output, "id"), url = TextAt(output, "url");
  mediagen::exchange exchange = engine.handle("GET", url);
  mediagen::result<mediagen::bytes> ended = exchange.call().wait();
  if (!ended) return ended.error();
  mediagen::result<mediagen::response> head = exchange.head();
  if (!head) return head.error();
  if (head->status != 200)
    return Broken(fmt::format("The picture {} was answered with status {}.", id, head->status));
  mediagen::result<mediagen_body> body = exchange.body();
  if (!body) return body.error();

  std::error_code failed;
  std::filesystem::create_directories(dir, failed);
  std::string path = fmt::format("{}/{}.{}", dir, id, Extension(TextAt(output, "mediaType")));
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  bool whole = true;
  if (body->kind == MEDIAGEN_BODY_FILE) {
    whole = WriteFile(*body, file);
  } else if (body->kind == MEDIAGEN_BODY_BYTES) {
    std::string_view bytes =
        mediagen::bytes(mediagen_buffer_ref(body->buffer)).view().substr(body->offset, body->length);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    mediagen_buffer_free(body->buffer);
  }
  file.close();
  if (!whole || !file) return Broken(fmt::format("{} could not be written.", path));
  return path;
}

}  // namespace cli
