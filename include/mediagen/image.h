/* mediagen: the codec alone: probe, decode, resize, encode, ThumbHash, base64. Plain synchronous functions
 * that work on the caller's thread: none is started, no file is made.
 *
 * Pictures in are PNG, JPEG, WebP or GIF; also as a data URL or as base64. Any of them may be hostile: past
 * the limits the answer is MEDIAGEN_TOO_LARGE, a broken one is MEDIAGEN_INVALID with the reason, a known
 * format that is not read MEDIAGEN_UNSUPPORTED. A decoded picture is immutable and may be used by many
 * threads at once. Options are JSON objects; {NULL, 0} is {}. */
#ifndef MEDIAGEN_IMAGE_H
#define MEDIAGEN_IMAGE_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* From the headers alone: {"format", "mediaType", "bytes", "width", "height" (as stored), "orientation" (EXIF
 * 1-8), "alpha", "frames", "icc", "c2pa" (a manifest is there; it is not verified), "prompt" (what a
 * generator left, or null)}. */
MEDIAGEN_API int32_t mediagen_image_probe(mediagen_str bytes, mediagen_buffer **json, mediagen_error **err);

/* The first frame, in sRGB, turned as its EXIF says. Options: {"width", "height": it will be reduced to about
 * that, so anything that still covers it may come; "orientation": true, "toSrgb": true, "maxPixels":
 * 100000000, "maxBytes": 268435456, "maxMs": 20000}. */
MEDIAGEN_API int32_t mediagen_image_decode(mediagen_str bytes, mediagen_str options, mediagen_image **out,
                                           mediagen_error **err);
/* All frames of an animated GIF or WebP, one of anything else. Options as for mediagen_image_decode ("width"
 * and "height" do nothing), and "maxFrames": 1000, "maxAnimationBytes": 536870912: every frame counts against
 * the limits before any is decoded. */
MEDIAGEN_API int32_t mediagen_animation_decode(mediagen_str bytes, mediagen_str options,
                                               mediagen_animation **out, mediagen_error **err);
MEDIAGEN_API void mediagen_animation_free(mediagen_animation *animation);
/* How many frames there are, and how often all of them are shown (0: forever). Each may be NULL. */
MEDIAGEN_API int32_t mediagen_animation_info(const mediagen_animation *animation, uint32_t *frames,
                                             uint32_t *loops);
/* A frame, from 0: the whole canvas as it is shown, RGBA, not a copy, and its duration in ms (may be NULL).
 * MEDIAGEN_NOT_FOUND behind the last one. */
MEDIAGEN_API int32_t mediagen_animation_frame(const mediagen_animation *animation, uint32_t index,
                                              mediagen_image **out, int64_t *duration_ms,
                                              mediagen_error **err);
/* Copies `pixels` in: width * height * channels bytes, RGB (3) or RGBA (4, straight alpha), top row first, no
 * gaps. */
MEDIAGEN_API int32_t mediagen_image_new(uint32_t width, uint32_t height, uint32_t channels,
                                        mediagen_str pixels, mediagen_image **out, mediagen_error **err);
MEDIAGEN_API void mediagen_image_free(mediagen_image *image);

/* Each of the results may be NULL. */
MEDIAGEN_API int32_t mediagen_image_size(const mediagen_image *image, uint32_t *width, uint32_t *height,
                                         uint32_t *channels);
/* The rows, as mediagen_image_new takes them. The bytes are the picture's own, not a copy; they outlive it.
 */
MEDIAGEN_API int32_t mediagen_image_pixels(const mediagen_image *image, mediagen_buffer **out);

/* {"width", "height" (one follows from the other), "fit": "inside" | "cover" | "contain" | "outside" |
 * "fill", "enlarge": false, "filter": "catmull-rom" | "lanczos3", "linearLight": false, "x": 0.5, "y": 0.5
 * (what cover keeps, where contain puts it)}. */
MEDIAGEN_API int32_t mediagen_image_resize(const mediagen_image *image, mediagen_str options,
                                           mediagen_image **out, mediagen_error **err);
/* {"format": "webp" | "jpeg" | "png", "quality": 85, "method": 4 (WebP, 0-6), "lossless": false (WebP),
 * "chroma": "420" | "422" | "444" (JPEG), "progressive": false, "optimize": false (JPEG), "level": 6 (PNG,
 * 1-12), "background":
 * "#ffffff" (under alpha where the format has none)}. */
MEDIAGEN_API int32_t mediagen_image_encode(const mediagen_image *image, mediagen_str options,
                                           mediagen_buffer **out, mediagen_error **err);

/* 5 to 25 bytes that look like the picture (evanw.github.io/thumbhash), and a small picture of such bytes. */
MEDIAGEN_API int32_t mediagen_image_thumbhash(const mediagen_image *image, mediagen_buffer **out,
                                              mediagen_error **err);
MEDIAGEN_API int32_t mediagen_image_from_thumbhash(mediagen_str hash, mediagen_image **out,
                                                   mediagen_error **err);
/* The average colour: {"red", "green", "blue", "alpha", "hex": "#rrggbb"}. */
MEDIAGEN_API int32_t mediagen_image_average(const mediagen_image *image, mediagen_buffer **json,
                                            mediagen_error **err);

/* RFC 4648, padded. A decode skips white space; MEDIAGEN_INVALID names the first bad place. */
MEDIAGEN_API int32_t mediagen_base64_encode(mediagen_str bytes, mediagen_buffer **out);
MEDIAGEN_API int32_t mediagen_base64_decode(mediagen_str text, mediagen_buffer **out, mediagen_error **err);

/* Gives the buffers back to the system that are kept for the next pictures (64 MB at most). */
MEDIAGEN_API void mediagen_trim(void);

#ifdef __cplusplus
}
#endif
#endif
