// What every function of the C ABI does first and last: NULL and fork checks, the catch-all, the error
// object.
//
//   return Guard(err, {Need("engine", engine), Out("out", out)}, [&]() -> StatusOr<int32_t> { …; return
//   MEDIAGEN_OK; });
//
// The body answers an int32_t (a state), a Status or a StatusOr<int32_t>. Nothing leaves a Guard as an
// exception, and no mutex is touched before the fork check (a lock that another thread of the parent held
// stays held in the child for ever).
#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "base/buffer.h"
#include "base/fork.h"
#include "base/status.h"
#include "mediagen/types.h"

struct mediagen_error {
  int32_t code;
  std::string json;
};

namespace mediagen::capi {

// One argument as the checks see it.
struct Argument {
  const char* name;
  bool present = true;
  bool forked = false;

  bool good() const { return present && !forked; }
};

template <typename T>
concept ForkAware = requires(const T& handle) {
  { handle.fork.forked() } -> std::same_as<bool>;
};

// A handle or a pointer that must not be NULL.
template <typename T>
Argument Need(const char* name, T* pointer) {
  if constexpr (ForkAware<T>) return {name, pointer != nullptr, pointer != nullptr && pointer->fork.forked()};
  return {name, pointer != nullptr};
}
// A handle that may be NULL.
template <ForkAware T>
Argument Allow(const char* name, T* pointer) {
  return {name, true, pointer != nullptr && pointer->fork.forked()};
}
// An optional result.
template <typename T>
Argument Allow(const char* name, T** pointer) {
  if (pointer != nullptr) *pointer = nullptr;
  return {name};
}
// Where a handle goes: NULL until there is one.
template <typename T>
Argument Out(const char* name, T** pointer) {
  if (pointer != nullptr) *pointer = nullptr;
  return {name, pointer != nullptr};
}
// Bytes: NULL is the empty string only with size 0.
inline Argument Need(const char* name, const mediagen_str& text) {
  return {name, text.data != nullptr || text.size == 0};
}

inline std::string_view View(const mediagen_str& text) {
  return text.size == 0 ? std::string_view() : std::string_view(text.data, text.size);
}

// The host's reference; NULL for a null one.
inline mediagen_buffer* Export(BufferRef buffer) {
  return reinterpret_cast<mediagen_buffer*>(const_cast<Buffer*>(buffer.Release()));
}

// The code of `status`, and the error object when the host wants one.
int32_t Refuse(mediagen_error** err, const Status& status) noexcept;
// By value: an argument whose address is taken would be written to memory by every call.
int32_t RefuseArgument(mediagen_error** err, Argument argument) noexcept;
// The exception in flight.
int32_t RefuseException(mediagen_error** err) noexcept;

inline int32_t Answer(mediagen_error**, int32_t state) { return state; }
inline int32_t Answer(mediagen_error** err, const Status& status) {
  return status.ok() ? MEDIAGEN_OK : Refuse(err, status);
}
inline int32_t Answer(mediagen_error** err, const StatusOr<int32_t>& state) {
  return state.ok() ? *state : Refuse(err, state.status());
}

template <typename Body>
int32_t Guard(mediagen_error** err, Body&& body) noexcept {
  if (err != nullptr) *err = nullptr;
  try {
    return Answer(err, body());
  } catch (...) {
    return RefuseException(err);
  }
}

// Refuses the first bad one. By constant indexes, so that what is checked stays in registers.
template <size_t kCount, size_t... kIndex>
int32_t RefuseFirst(mediagen_error** err, const Argument (&arguments)[kCount],
                    std::index_sequence<kIndex...>) noexcept {
  Argument bad{};
  (void)((arguments[kIndex].good() || (bad = arguments[kIndex], false)) && ...);
  return RefuseArgument(err, bad);
}
template <size_t kCount, size_t... kIndex>
[[gnu::always_inline]] inline bool AllGood(const Argument (&arguments)[kCount],
                                           std::index_sequence<kIndex...>) noexcept {
  return (arguments[kIndex].good() && ...);
}

template <size_t kCount, typename Body>
[[gnu::always_inline]] inline int32_t Guard(mediagen_error** err, const Argument (&arguments)[kCount],
                                            Body&& body) noexcept {
  constexpr auto kIndexes = std::make_index_sequence<kCount>();
  if (AllGood(arguments, kIndexes)) [[likely]]
    return Guard(err, std::forward<Body>(body));
  return RefuseFirst(err, arguments, kIndexes);
}

// Refuses an ABI that this library does not speak.
Status CheckAbi(uint32_t abi);

// The error of everything that was asked of a closed engine.
Status ClosedError();

}  // namespace mediagen::capi
