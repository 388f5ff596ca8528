// mediagen for C++20: results, errors and bytes. See mediagen.hpp.
#ifndef MEDIAGEN_RESULT_HPP
#define MEDIAGEN_RESULT_HPP

#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "types.h"

namespace mediagen {

// What went wrong: the code (MEDIAGEN_INVALID …), the sentence, what to do about it, and the whole document.
struct error {
  int32_t code = MEDIAGEN_OK;
  std::string message, hint, json;
};

class failure : public std::exception {
 public:
  explicit failure(mediagen::error what) : error_(std::move(what)) {}
  const char* what() const noexcept override { return error_.message.c_str(); }
  const mediagen::error& error() const noexcept { return error_; }

 private:
  mediagen::error error_;
};

// A value or an error.
template <typename T>
class [[nodiscard]] result {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): a function returns either as it is
  result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  result(mediagen::error error) : held_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return held_.index() == 0; }
  explicit operator bool() const { return ok(); }
  // Only when ok().
  T& operator*() & { return std::get<0>(held_); }
  const T& operator*() const& { return std::get<0>(held_); }
  T&& operator*() && { return std::get<0>(std::move(held_)); }
  T* operator->() { return &std::get<0>(held_); }
  const T* operator->() const { return &std::get<0>(held_); }
  // Only when not ok().
  const mediagen::error& error() const { return std::get<1>(held_); }

  // The value, or throws mediagen::failure.
  T& value() & { return check(), **this; }
  T&& value() && { return check(), *std::move(*this); }

 private:
  void check() const {
    if (!ok()) throw failure(error());
  }
  std::variant<T, mediagen::error> held_;
};

// Of operations that have no value.
struct nothing {};

namespace detail {

inline mediagen_str str(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view view(mediagen_str text) {
  return text.size == 0 ? std::string_view() : std::string_view(text.data, text.size);
}

// The string under a top-level key of an error document, which the library writes compactly; "" for null.
inline std::string field(std::string_view json, std::string_view quoted_key) {
  size_t at = json.find(quoted_key);
  if (at == std::string_view::npos || json.substr(at + quoted_key.size(), 2) != ":\"") return {};
  std::string text;
  for (size_t i = at + quoted_key.size() + 2; i < json.size() && json[i] != '"'; ++i) {
    char c = json[i];
    if (c == '\\' && ++i < json.size()) {
      switch (json[i]) {
        case 'n':
          c = '\n';
          break;
        case 't':
          c = '\t';
          break;
        case 'u':
          c = '?', i += 4;
          break;  // a control character
        default:
          c = json[i];
      }
    }
    text.push_back(c);
  }
  return text;
}

// Takes over `raised` (may be NULL).
inline error take_error(int32_t code, mediagen_error* raised) {
  error out;
  out.code = code;
  out.json = std::string(view(mediagen_error_json(raised)));
  mediagen_error_free(raised);
  out.message = field(out.json, "\"message\"");
  out.hint = field(out.json, "\"hint\"");
  if (out.message.empty()) out.message = mediagen_code_name(code);
  return out;
}

template <auto Free>
struct freer {
  template <typename T>
  void operator()(T* handle) const noexcept {
    Free(handle);
  }
};
template <typename T, auto Free>
using handle = std::unique_ptr<T, freer<Free>>;

}  // namespace detail

// Immutable, shared bytes. Copies share; may be null.
class bytes {
 public:
  bytes() = default;
  explicit bytes(mediagen_buffer* adopted) : buffer_(adopted) {}
  bytes(const bytes& other) : buffer_(mediagen_buffer_ref(other.buffer_)) {}
  bytes(bytes&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  bytes& operator=(bytes other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~bytes() { mediagen_buffer_free(buffer_); }

  explicit operator bool() const { return buffer_ != nullptr; }
  std::string_view view() const { return detail::view(mediagen_buffer_view(buffer_)); }
  std::span<const uint8_t> span() const {
    return {reinterpret_cast<const uint8_t*>(view().data()), view().size()};
  }
  std::string string() const { return std::string(view()); }

 private:
  mediagen_buffer* buffer_ = nullptr;
};

}  // namespace mediagen

#endif
