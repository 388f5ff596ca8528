#include "capi/guard.h"

#include <memory>

#include "fmt/format.h"
#include "mediagen/types.h"

namespace mediagen::capi {
namespace {

// Made before it is needed: there may be no memory left to say so.
mediagen_error out_of_memory{
    MEDIAGEN_OVERLOADED,
    R"({"code":"overloaded","hint":"Free memory, or lower the budgets of the configuration.","message":"There is no memory left.",)"
    R"("object":null,"retryAfterMs":null})"};
mediagen_error unknown_exception{
    MEDIAGEN_INTERNAL,
    R"({"code":"internal","hint":"This is a defect of mediagen; please report it.","message":"Something unknown was thrown.",)"
    R"("object":null,"retryAfterMs":null})"};

}  // namespace

int32_t Refuse(mediagen_error** err, const Status& status) noexcept {
  try {
    int32_t code = static_cast<int32_t>(CodeOf(status));
    if (err != nullptr) *err = new mediagen_error{code, ErrorJson(status)};
    return code;
  } catch (...) {
    if (err != nullptr) *err = &out_of_memory;
    return MEDIAGEN_OVERLOADED;
  }
}

int32_t RefuseArgument(mediagen_error** err, Argument argument) noexcept {
  try {
    if (!argument.present) {
      return Refuse(err, Error(Code::kInvalid, fmt::format("\"{}\" must not be NULL.", argument.name)));
    }
    return Refuse(
        err,
        Error(Code::kForked, fmt::format("\"{}\" was made before this process was forked.", argument.name),
              {.hint = "Open it again in the child; free the parent's handles or leave them."}));
  } catch (...) {
    return RefuseException(err);
  }
}

int32_t RefuseException(mediagen_error** err) noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    if (err != nullptr) *err = &out_of_memory;
    return MEDIAGEN_OVERLOADED;
  } catch (const std::exception& exception) {
    try {
      return Refuse(
          err, Error(Code::kInternal, fmt::format("An exception reached the C ABI: {}.", exception.what()),
                     {.hint = "This is a defect of mediagen; please report it."}));
    } catch (...) {
      // Said without words, below.
    }
  } catch (...) {
    // Not a std::exception: there is nothing to read.
  }
  if (err != nullptr) *err = &unknown_exception;
  return MEDIAGEN_INTERNAL;
}

Status CheckAbi(uint32_t abi) {
  if (abi == MEDIAGEN_ABI) return OkStatus();
  return Error(Code::kUnsupported,
               fmt::format("The program was built against ABI {} of mediagen; this library speaks ABI {}.",
                           abi, MEDIAGEN_ABI),
               {.hint = "Build the program against the headers of the library that it loads."});
}

Status ClosedError() {
  return Error(Code::kClosed, "The engine is closed.",
               {.hint = "Open it again to go on; nothing accepted is lost."});
}

}  // namespace mediagen::capi

using mediagen::capi::out_of_memory;
using mediagen::capi::unknown_exception;

extern "C" {

int32_t mediagen_error_code(const mediagen_error* error) {
  return error == nullptr ? MEDIAGEN_OK : error->code;
}

mediagen_str mediagen_error_json(const mediagen_error* error) {
  if (error == nullptr) return {nullptr, 0};
  return {error->json.data(), error->json.size()};
}

void mediagen_error_free(mediagen_error* error) {
  if (error != &out_of_memory && error != &unknown_exception) delete error;
}

}  // extern "C"
