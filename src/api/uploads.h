// What the routes of uploads share.
#pragma once

#include "api/router.h"

namespace mediagen {

// 201 with the output's record and its Location, or 200 where it stood there already; 422 for what is no
// picture or video that is stored.
void AnswerUpload(ApiExchange& exchange, const StatusOr<Uploaded>& uploaded);

// The HTTP status of a refusal by what was brought: that its bytes cannot be read is not the fault of the
// request's form.
int HttpStatusOfUpload(Code code);

}  // namespace mediagen
