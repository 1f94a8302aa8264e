// Pictures through libvips: the few calls that Graft needs, without libvips's own headers.
//
// libvips's operations are variadic and its errors lie in one buffer for the whole process; both stay behind this header.
// Every function may be called from several threads at once.
#ifndef GRAFT_CVIPS_H
#define GRAFT_CVIPS_H

#include <stddef.h>
#include <stdint.h>

/// What went wrong, in libvips's words; empty when it said nothing.
typedef struct {
  char text[256];
} graft_vips_message;

/// An encoded picture that is open for reading its rows from top to bottom.
typedef struct graft_vips_picture graft_vips_picture;

/// Starts libvips once for the process: no thread pool, no operation cache, and no loaders but those for JPEG, PNG,
/// WebP, GIF and TIFF. Returns 0, or -1 where libvips does not start.
int graft_vips_start(void);

/// Ends what libvips keeps for the calling thread. Every thread that decoded calls it once before it ends.
void graft_vips_end_thread(void);

/// Begins work on one picture. libvips has one buffer of messages for all threads, so that only work that no other
/// thread works beside (`alone`) gets messages of its own.
void graft_vips_begin(int alone);

/// Ends what `graft_vips_begin` began. After work alone the message says what went wrong in it, if anything did.
void graft_vips_end(int alone, graft_vips_message *message);

/// Opens a picture by its header; `bytes` have to stay until it is closed. `shrink` is 1, or for JPEG also 2, 4 or 8: by
/// how much it is made smaller while it is decoded. Returns NULL where the header cannot be read.
graft_vips_picture *graft_vips_open(const void *bytes, size_t byte_count, int32_t shrink);

/// The size of the picture after it is turned upright.
void graft_vips_get_size(graft_vips_picture *picture, int32_t *width, int32_t *height);

/// Makes ready to read rows: upright, laid on white, 8-bit sRGB. Called once. Returns 0, or -1 on failure.
int graft_vips_prepare(graft_vips_picture *picture);

/// Reads a part of `row_count` rows as red, green and blue without gaps. Rows are read from top to bottom; rows may be
/// skipped. Returns 0, or -1 on failure.
int graft_vips_read_rows(
    graft_vips_picture *picture, int32_t left, int32_t top, int32_t width, int32_t row_count, uint8_t *output);

/// Closes a picture.
void graft_vips_close(graft_vips_picture *picture);

#endif
