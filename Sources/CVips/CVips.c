#define _POSIX_C_SOURCE 200809L

#include "CVips.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// The part of libvips's and GLib's stable C interface that is used here.

typedef struct _VipsImage VipsImage;
typedef struct _VipsRegion VipsRegion;
typedef int gboolean;

enum { VIPS_ACCESS_SEQUENTIAL = 1 };
enum { VIPS_FAIL_ON_ERROR = 2 };
enum { VIPS_FORMAT_UCHAR = 0 };
enum { VIPS_INTERPRETATION_B_W = 1, VIPS_INTERPRETATION_sRGB = 22 };
enum { G_LOG_LEVELS_NOT_FATAL = 0xf8 };

extern int vips_init(const char *program);
extern void vips_thread_shutdown(void);
extern void vips_concurrency_set(int concurrency);
extern void vips_cache_set_max(int max);
extern void vips_block_untrusted_set(gboolean state);
extern void vips_operation_block_set(const char *name, gboolean state);
extern const char *vips_error_buffer(void);
extern void vips_error_clear(void);

extern VipsImage *vips_image_new_from_buffer(const void *bytes, size_t count, const char *options, ...);
extern VipsImage *vips_image_copy_memory(VipsImage *image);
extern int vips_image_get_width(const VipsImage *image);
extern int vips_image_get_height(const VipsImage *image);
extern int vips_image_get_bands(const VipsImage *image);
extern int vips_image_get_format(const VipsImage *image);
extern int vips_image_get_interpretation(const VipsImage *image);
extern int vips_image_get_orientation(VipsImage *image);
extern size_t vips_image_get_typeof(const VipsImage *image, const char *name);

extern int vips_icc_transform(VipsImage *in, VipsImage **out, const char *output_profile, ...);
extern int vips_colourspace(VipsImage *in, VipsImage **out, int space, ...);
extern int vips_autorot(VipsImage *in, VipsImage **out, ...);
extern int vips_extract_band(VipsImage *in, VipsImage **out, int band, ...);
extern int vips_cast_uchar(VipsImage *in, VipsImage **out, ...);

extern VipsRegion *vips_region_new(VipsImage *image);
extern void *vips_region_fetch(VipsRegion *region, int left, int top, int width, int height, size_t *length);

extern void g_object_unref(void *object);
extern void g_free(void *memory);
extern unsigned g_log_set_handler(
    const char *domain, int levels, void (*handler)(const char *, int, const char *, void *), void *data);

// MARK: - Start and end

static int start_status = -1;
static pthread_once_t start_once = PTHREAD_ONCE_INIT;

// What matters of a warning comes back as an error; the rest is not for a user's terminal.
static void drop_log_message(const char *domain, int level, const char *text, void *data) {
  (void)domain, (void)level, (void)text, (void)data;
}

static void start(void) {
  if (vips_init("graft") != 0) return;
  g_log_set_handler("VIPS", G_LOG_LEVELS_NOT_FATAL, drop_log_message, NULL);
  vips_concurrency_set(1);
  vips_cache_set_max(0);
  vips_block_untrusted_set(1);
  vips_operation_block_set("VipsForeignLoad", 1);
  static const char *const allowed[] = {
      "VipsForeignLoadJpeg", "VipsForeignLoadPng", "VipsForeignLoadWebp", "VipsForeignLoadNsgif", "VipsForeignLoadTiff"};
  for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) vips_operation_block_set(allowed[i], 0);
  start_status = 0;
}

int graft_vips_start(void) {
  pthread_once(&start_once, start);
  return start_status;
}

void graft_vips_end_thread(void) {
  if (start_status == 0) vips_thread_shutdown();
}

// MARK: - Messages

static pthread_rwlock_t message_lock = PTHREAD_RWLOCK_INITIALIZER;

void graft_vips_begin(int alone) {
  if (alone) {
    pthread_rwlock_wrlock(&message_lock);
    vips_error_clear();
  } else {
    pthread_rwlock_rdlock(&message_lock);
  }
}

void graft_vips_end(int alone, graft_vips_message *message) {
  if (alone) {
    const char *text = vips_error_buffer();
    size_t length = strcspn(text, "\n");
    if (length >= sizeof message->text) length = sizeof message->text - 1;
    memcpy(message->text, text, length);
    message->text[length] = '\0';
    vips_error_clear();
  }
  pthread_rwlock_unlock(&message_lock);
}

// MARK: - Conversion

// Puts what a step made in the place of what it was made from.
static int replace(VipsImage **image, int status, VipsImage *made) {
  if (status != 0) return -1;
  g_object_unref(*image);
  *image = made;
  return 0;
}

static int convert_profile(VipsImage **image) {
  if (vips_image_get_typeof(*image, "icc-profile-data") == 0) return 0;
  VipsImage *made = NULL;
  int status = vips_icc_transform(*image, &made, "srgb", "embedded", 1, (void *)NULL);
  // A profile that cannot be used is passed over, as browsers do.
  if (status != 0) vips_error_clear();
  return status != 0 ? 0 : replace(image, status, made);
}

// Every operation costs more than a small picture takes to decode, so what is grey or sRGB of 8 bits stays as it is.
static int has_plain_bytes(VipsImage *image) {
  int space = vips_image_get_interpretation(image);
  return vips_image_get_format(image) == VIPS_FORMAT_UCHAR &&
         (space == VIPS_INTERPRETATION_sRGB || space == VIPS_INTERPRETATION_B_W);
}

static int convert_colour_space(VipsImage **image) {
  if (has_plain_bytes(*image)) return 0;
  VipsImage *made = NULL;
  int status = vips_colourspace(*image, &made, VIPS_INTERPRETATION_sRGB, (void *)NULL);
  return replace(image, status, made);
}

static int convert_to_bytes(VipsImage **image) {
  if (vips_image_get_format(*image) == VIPS_FORMAT_UCHAR) return 0;
  VipsImage *made = NULL;
  int status = vips_cast_uchar(*image, &made, (void *)NULL);
  return replace(image, status, made);
}

static int drop_further_bands(VipsImage **image) {
  if (vips_image_get_bands(*image) <= 4) return 0;
  VipsImage *made = NULL;
  int status = vips_extract_band(*image, &made, 0, "n", 3, (void *)NULL);
  return replace(image, status, made);
}

// Whatever the picture's colour space and depth are, it becomes grey or 8-bit sRGB, with or without alpha.
static int convert(VipsImage **image) {
  if (convert_profile(image) != 0) return -1;
  if (convert_colour_space(image) != 0) return -1;
  if (convert_to_bytes(image) != 0) return -1;
  return drop_further_bands(image);
}

static inline uint8_t laid_on_white(unsigned value, unsigned alpha) {
  return (uint8_t)((value * alpha + 255 * (255 - alpha) + 127) / 255);
}

static void write_rgb(const uint8_t *pixels, size_t pixel_count, int bands, uint8_t *output) {
  switch (bands) {
  case 1:
    for (size_t i = 0; i < pixel_count; i++) output[3 * i] = output[3 * i + 1] = output[3 * i + 2] = pixels[i];
    break;
  case 2:
    for (size_t i = 0; i < pixel_count; i++) {
      output[3 * i] = output[3 * i + 1] = output[3 * i + 2] = laid_on_white(pixels[2 * i], pixels[2 * i + 1]);
    }
    break;
  case 3:
    memcpy(output, pixels, pixel_count * 3);
    break;
  default:
    for (size_t i = 0; i < pixel_count; i++) {
      for (int c = 0; c < 3; c++) output[3 * i + c] = laid_on_white(pixels[4 * i + c], pixels[4 * i + 3]);
    }
  }
}

// MARK: - Pictures

struct graft_vips_picture {
  VipsImage *image;
  VipsRegion *region;
  int orientation;
};

graft_vips_picture *graft_vips_open(const void *bytes, size_t byte_count, int32_t shrink) {
  VipsImage *image =
      shrink > 1 ? vips_image_new_from_buffer(
                       bytes, byte_count, "", "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR,
                       "shrink", shrink, (void *)NULL)
                 : vips_image_new_from_buffer(
                       bytes, byte_count, "", "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR,
                       (void *)NULL);
  if (!image) return NULL;
  graft_vips_picture *picture = calloc(1, sizeof *picture);
  if (!picture) {
    g_object_unref(image);
    return NULL;
  }
  picture->image = image;
  picture->orientation = vips_image_get_orientation(image);
  return picture;
}

void graft_vips_get_size(graft_vips_picture *picture, int32_t *width, int32_t *height) {
  // Orientations 5 to 8 lay the picture on its side until it is turned.
  int lies = picture->orientation >= 5;
  *width = lies ? vips_image_get_height(picture->image) : vips_image_get_width(picture->image);
  *height = lies ? vips_image_get_width(picture->image) : vips_image_get_height(picture->image);
}

// Turning needs the last rows first, while loaders give them from top to bottom: the picture goes through memory.
static int turn_upright(graft_vips_picture *picture) {
  if (picture->orientation <= 1) return 0;
  VipsImage *copy = vips_image_copy_memory(picture->image);
  if (replace(&picture->image, copy ? 0 : -1, copy) != 0) return -1;
  VipsImage *upright = NULL;
  int status = vips_autorot(picture->image, &upright, (void *)NULL);
  if (replace(&picture->image, status, upright) != 0) return -1;
  picture->orientation = 1;
  return 0;
}

int graft_vips_prepare(graft_vips_picture *picture) {
  if (turn_upright(picture) != 0) return -1;
  if (convert(&picture->image) != 0) return -1;
  picture->region = vips_region_new(picture->image);
  return picture->region ? 0 : -1;
}

// The region runs the pipeline on this thread: libvips's own sinks would hand the work to threads of theirs.
int graft_vips_read_rows(
    graft_vips_picture *picture, int32_t left, int32_t top, int32_t width, int32_t row_count, uint8_t *output) {
  size_t length = 0;
  void *rows = vips_region_fetch(picture->region, left, top, width, row_count, &length);
  if (!rows) return -1;
  int bands = vips_image_get_bands(picture->image);
  size_t pixel_count = (size_t)width * (size_t)row_count;
  int fits = length == pixel_count * (size_t)bands;
  if (fits) write_rgb(rows, pixel_count, bands, output);
  g_free(rows);
  return fits ? 0 : -1;
}

void graft_vips_close(graft_vips_picture *picture) {
  if (picture->region) g_object_unref(picture->region);
  g_object_unref(picture->image);
  free(picture);
}
