// JsonWriter: objects and arrays written straight into a string, without a tree, for documents on a hot path.
//
// It keeps the string longer than what is written and cuts it when it ends, so a field costs copies of known
// size and no call. Commas set themselves. Not thread-safe; while it lives, nobody else touches the string.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"

namespace mediagen {

class JsonWriter {
 public:
  // Appends to `out`.
  explicit JsonWriter(std::string* out) : out_(out) {
    const size_t used = out->size();
    out->resize(used + kStep);
    at_ = out->data() + used;
    end_ = out->data() + out->size();
  }
  ~JsonWriter() { out_->resize(used()); }
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;

  void BeginObject() { Open('{'); }
  void EndObject() { Put('}'); }
  void BeginArray() { Open('['); }
  void EndArray() { Put(']'); }
  // Before each element of an array.
  void Element() {
    if (!first_) Put(',');
    first_ = true;
  }

  // The name of the next value: a literal that needs no escape.
  template <size_t N>
  void Key(const char (&name)[N]) {
    Room(N + 3);
    if (!first_) *at_++ = ',';
    first_ = false;
    *at_++ = '"';
    std::memcpy(at_, name, N - 1);
    at_ += N - 1;
    *at_++ = '"';
    *at_++ = ':';
  }
  template <size_t N>
  void Text(const char (&name)[N], std::string_view value) {
    Key(name);
    String(value);
  }
  template <size_t N>
  void TextOrNull(const char (&name)[N], std::string_view value) {
    Key(name);
    value.empty() ? Plain("null") : String(value);
  }
  // `json` is a value already, or "" for null.
  template <size_t N>
  void Raw(const char (&name)[N], std::string_view json) {
    Key(name);
    Plain(json.empty() ? std::string_view("null") : json);
  }
  template <size_t N>
  void Bool(const char (&name)[N], bool value) {
    Key(name);
    Plain(value ? "true" : "false");
  }
  template <size_t N>
  void Number(const char (&name)[N], int64_t value) {
    Key(name);
    Digits(value);
  }
  // RFC 3339 in UTC with ms; null below zero.
  template <size_t N>
  void Time(const char (&name)[N], int64_t wall_ms) {
    Key(name);
    if (wall_ms < 0) return Plain("null");
    Put('"');
    Room(kTimeSize);
    WriteTime(wall_ms, at_);
    at_ += kTimeSize;
    Put('"');
  }
  template <size_t N>
  void IdOrNull(const char (&name)[N], const Id& id) {
    Key(name);
    if (id.empty()) return Plain("null");
    Put('"');
    PlainId(id);
    Put('"');
  }

  // A JSON string, escaped; bad UTF-8 becomes U+FFFD.
  void String(std::string_view value) {
    if (!IsPlainJson(value)) {
      std::string quoted;
      AppendJsonString(value, &quoted);
      return Plain(quoted);
    }
    Room(value.size() + 2);
    *at_++ = '"';
    Copy(value);
    *at_++ = '"';
  }
  // Bytes as they are: between quotes that the caller puts, or a whole value.
  void Plain(std::string_view bytes) {
    Room(bytes.size());
    Copy(bytes);
  }
  void Put(char c) {
    Room(1);
    *at_++ = c;
    first_ = false;
  }
  void Digits(int64_t value) {
    Room(20);
    at_ = std::to_chars(at_, end_, value).ptr;
  }
  void PlainId(const Id& id) {
    Room(Id::kTextSize);
    id.WriteText(at_);
    at_ += Id::kTextSize;
  }

 private:
  static constexpr size_t kStep = 2048;  // a record with one output

  size_t used() const { return static_cast<size_t>(at_ - out_->data()); }
  void Room(size_t size) {
    if (static_cast<size_t>(end_ - at_) < size) Grow(size);
  }
  void Grow(size_t size) {
    const size_t now = used();
    out_->resize(now + size + now / 2 + kStep);
    at_ = out_->data() + now;
    end_ = out_->data() + out_->size();
  }
  void Copy(std::string_view bytes) {
    if (bytes.empty()) return;  // a null pointer is no argument of memcpy
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  void Open(char bracket) {
    Put(bracket);
    first_ = true;
  }

  std::string* out_;
  char* at_;
  char* end_;
  bool first_ = true;  // no value stands yet in the innermost object or array
};

}  // namespace mediagen
