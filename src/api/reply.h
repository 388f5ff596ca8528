// Successful answers in JSON: compressed when the client takes it, with their validator.
#pragma once

#include <string>

#include "api/http.h"

namespace mediagen {

// A JSON answer. Over 1 KB it is sent in the coding that Accept-Encoding prefers (negotiate.h), and always
// says that it varies by it; under a refused identity also when it is smaller. A GET that is 200 has an ETag
// of the bytes that are served and is evaluated by it (304, 412); one for which no coding is acceptable is
// 406.
Response JsonResponse(const ApiRequest& request, int status, std::string json, HeaderList headers = {});

// The same for a record with a version: its ETag is RecordEtag's (conditional.h).
Response RecordResponse(const ApiRequest& request, int status, int64_t version, std::string json,
                        HeaderList headers = {});

// Sets Content-Length, and drops the body for HEAD. The last step of every route.
void Finalise(const ApiRequest& request, Response* response);

}  // namespace mediagen
