// Successful answers: JSON, compressed when the client takes it, and pictures with their validators.
#pragma once

#include <string>
#include <string_view>

#include "api/http.h"

namespace mediagen {

// A JSON answer with an ETag of the bytes that are served, in zstd when it is over 1 KB and the client
// accepts it. GET answers are 304 when the client has them.
Response JsonResponse(const ApiRequest& request, int status, std::string json, HeaderList headers = {});

// Sets Content-Length, and drops the body for HEAD. The last step of every route.
void Finalise(const ApiRequest& request, Response* response);

// zstd level 3 of `bytes` as one frame.
std::string ZstdCompress(std::string_view bytes);

}  // namespace mediagen
