// The fields of an output, in the one order in which backends and caches write and read them.
#pragma once

namespace mediagen {

// Calls `visit` with every field of `o`, an Output or a const one.
inline constexpr auto kVisitOutput = [](auto& o, const auto& visit) {
  visit(o.id), visit(o.generation), visit(o.user), visit(o.index), visit(o.part), visit(o.attempt_try);
  visit(o.source), visit(o.kind), visit(o.media_type), visit(o.width), visit(o.height), visit(o.bytes);
  visit(o.sha256), visit(o.blob_key), visit(o.thumb_hash), visit(o.safety), visit(o.c2pa);
  visit(o.embedded_prompt), visit(o.visibility), visit(o.likes), visit(o.created_ms);
};

}  // namespace mediagen
