// Pictures through libvips: the few calls that Graft needs, without libvips's own headers.
//
// libvips's operations are variadic and its errors lie in one buffer for the whole process; both stay behind this header.
// Every function may be called from several threads at once.
#ifndef GRAFT_CVIPS_H
#define GRAFT_CVIPS_H

#include <stddef.h>
#include <stdint.h>

/// Where a picture is scaled to, and what is taken of the result.
typedef struct {
  /// The size that the whole upright picture is scaled to, in pixels.
  int32_t scaled_width, scaled_height;
  /// The part of the scaled picture that is written out; it lies inside of it.
  int32_t left, top, width, height;
} graft_vips_window;

/// What went wrong, in libvips's words; empty when it said nothing.
typedef struct {
  char text[256];
} graft_vips_message;

/// Starts libvips once for the process: no thread pool, no operation cache, and no loaders but those for JPEG, PNG,
/// WebP, GIF and TIFF. Returns 0, or -1 where libvips does not start.
int graft_vips_start(void);

/// Ends what libvips keeps for the calling thread. Every thread that decoded calls it once before it ends.
void graft_vips_end_thread(void);

/// The size of an encoded picture after it is turned upright, from its header alone. Returns 0, or -1 with a message.
int graft_vips_read_size(
    const void *bytes, size_t byte_count, int32_t *width, int32_t *height, graft_vips_message *message);

/// Decodes a picture to 8-bit sRGB, upright and laid on white, and writes its window to `output`, whose rows begin
/// `row_bytes` apart. The file is decoded to its end whatever the window. Returns 0, or -1 with a message.
int graft_vips_decode(
    const void *bytes, size_t byte_count, graft_vips_window window, uint8_t *output, size_t row_bytes,
    graft_vips_message *message);

/// Scales 8-bit sRGB pixels without gaps between their rows, as `graft_vips_decode` does with those that it decoded.
int graft_vips_scale(
    const uint8_t *pixels, int32_t width, int32_t height, graft_vips_window window, uint8_t *output, size_t row_bytes,
    graft_vips_message *message);

#endif
