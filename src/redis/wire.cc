#include "redis/wire.h"

#include <hiredis/hiredis.h>

#include "base/text.h"
#include "fmt/format.h"

namespace mediagen::redis {
namespace {

constexpr size_t kMostLine = 64 << 10;  // a simple string, error or number; only bulks are longer

RedisReply* PlaceOf(const redisReadTask* task, RedisReply::Kind kind, size_t bytes) {
  auto* reader = static_cast<ReplyReader*>(task->privdata);
  auto* parent = task->parent == nullptr ? nullptr : static_cast<RedisReply*>(task->parent->obj);
  return reader->Place(parent, static_cast<size_t>(task->idx), kind, bytes);
}

void* OnString(const redisReadTask* task, char* text, size_t size) {
  const bool error = task->type == REDIS_REPLY_ERROR;
  RedisReply* place = PlaceOf(task, error ? RedisReply::Kind::kError : RedisReply::Kind::kText, size);
  if (place != nullptr) place->text.assign(text, size);
  return place;
}

void* OnArray(const redisReadTask* task, int count) {
  const size_t elements = count < 0 ? 0 : static_cast<size_t>(count);
  RedisReply* place = PlaceOf(task, RedisReply::Kind::kArray, elements * sizeof(RedisReply));
  if (place != nullptr) place->elements.resize(elements);
  return place;
}

void* OnInteger(const redisReadTask* task, long long value) {
  RedisReply* place = PlaceOf(task, RedisReply::Kind::kInteger, 0);
  if (place != nullptr) place->integer = value;
  return place;
}

void* OnNil(const redisReadTask* task) { return PlaceOf(task, RedisReply::Kind::kNil, 0); }

void OnFree(void* root) { delete static_cast<RedisReply*>(root); }

redisReplyObjectFunctions kFunctions = {OnString, OnArray, OnInteger, OnNil, OnFree};

}  // namespace

void AppendHead(std::string* out, size_t arguments) {
  fmt::format_to(std::back_inserter(*out), "*{}\r\n", arguments);
}

void AppendArgument(std::string* out, std::string_view argument) {
  fmt::format_to(std::back_inserter(*out), "${}\r\n", argument.size());
  out->append(argument);
  out->append("\r\n");
}

std::string CommandBytes(std::span<const std::string_view> arguments) {
  std::string bytes;
  size_t size = 16;
  for (std::string_view argument : arguments) size += argument.size() + 16;
  bytes.reserve(size);
  AppendHead(&bytes, arguments.size());
  for (std::string_view argument : arguments) AppendArgument(&bytes, argument);
  return bytes;
}

ReplyReader::ReplyReader(size_t max_bytes)
    : max_bytes_(max_bytes), reader_(redisReaderCreateWithFunctions(&kFunctions)) {
  reader_->privdata = this;
}

ReplyReader::~ReplyReader() { redisReaderFree(reader_); }

void ReplyReader::Feed(std::string_view bytes) { redisReaderFeed(reader_, bytes.data(), bytes.size()); }

RedisReply* ReplyReader::Place(RedisReply* parent, size_t index, RedisReply::Kind kind, size_t bytes) {
  if (parent == nullptr) bytes_ = 0;
  bytes_ += bytes;
  if (bytes > max_bytes_ || bytes_ > max_bytes_) {
    too_large_ = true;
    return nullptr;
  }
  RedisReply* place = parent == nullptr ? new RedisReply : &parent->elements[index];
  place->kind = kind;
  return place;
}

Status ReplyReader::Refusal() const {
  if (too_large_)
    return Error(Code::kTooLarge, fmt::format("A reply of Redis has more than {} bytes.", max_bytes_));
  return Error(Code::kInvalid,
               fmt::format("What answers is no Redis: {}.", Shorten(ReplaceBadUtf8(reader_->errstr), 100)));
}

StatusOr<bool> ReplyReader::Next(RedisReply* reply) {
  void* root = nullptr;
  if (redisReaderGetReply(reader_, &root) != REDIS_OK) return Refusal();
  if (root != nullptr) {
    *reply = std::move(*static_cast<RedisReply*>(root));
    OnFree(root);
    return true;
  }
  // hiredis waits for the rest of a line or of a bulk however long it is; and looks through a line from its
  // beginning each time.
  const size_t waiting = reader_->len - reader_->pos;
  if (waiting > max_bytes_ + kMostLine) {
    too_large_ = true;
    return Refusal();
  }
  if (waiting > kMostLine && reader_->rstack[reader_->ridx].type != REDIS_REPLY_STRING)
    return Error(Code::kInvalid, "What answers is no Redis: a line has no end.");
  return false;
}

}  // namespace mediagen::redis
