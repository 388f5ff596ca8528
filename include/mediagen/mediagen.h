/* mediagen: the whole C ABI. */
#ifndef MEDIAGEN_H
#define MEDIAGEN_H

#include "cache.h"
#include "call.h"
#include "engine.h"
#include "events.h"
#include "generation.h"
#include "http.h"
#include "image.h"
#include "limiter.h"
#include "queue.h"
#include "record.h"
#include "types.h"

#endif
