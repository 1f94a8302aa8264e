#define _POSIX_C_SOURCE 200809L

#include "CVips.h"

#include <pthread.h>
#include <string.h>

// The part of libvips's and GLib's stable C interface that is used here.

typedef struct _VipsImage VipsImage;
typedef struct _VipsRegion VipsRegion;
typedef struct _VipsArrayDouble VipsArrayDouble;
typedef int gboolean;

enum { VIPS_ACCESS_SEQUENTIAL = 1 };
enum { VIPS_FAIL_ON_ERROR = 2 };
enum { VIPS_FORMAT_UCHAR = 0 };
enum { VIPS_INTERPRETATION_sRGB = 22 };
enum { VIPS_SIZE_FORCE = 3 };
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
extern VipsImage *vips_image_new_from_memory(const void *data, size_t size, int width, int height, int bands, int format);
extern int vips_image_get_width(const VipsImage *image);
extern int vips_image_get_height(const VipsImage *image);
extern int vips_image_get_bands(const VipsImage *image);
extern int vips_image_get_format(const VipsImage *image);
extern int vips_image_get_interpretation(const VipsImage *image);
extern int vips_image_get_orientation(VipsImage *image);
extern gboolean vips_image_hasalpha(VipsImage *image);
extern size_t vips_image_get_typeof(const VipsImage *image, const char *name);

extern int vips_thumbnail_buffer(void *bytes, size_t count, VipsImage **out, int width, ...);
extern int vips_thumbnail_image(VipsImage *in, VipsImage **out, int width, ...);
extern int vips_icc_transform(VipsImage *in, VipsImage **out, const char *output_profile, ...);
extern int vips_colourspace(VipsImage *in, VipsImage **out, int space, ...);
extern int vips_copy(VipsImage *in, VipsImage **out, ...);
extern int vips_flatten(VipsImage *in, VipsImage **out, ...);
extern int vips_extract_band(VipsImage *in, VipsImage **out, int band, ...);
extern int vips_cast_uchar(VipsImage *in, VipsImage **out, ...);
extern VipsArrayDouble *vips_array_double_newv(int count, ...);
extern void vips_area_unref(VipsArrayDouble *area);

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

// MARK: - Errors

// libvips has one error buffer for all threads. What fails beside others is done once more alone, so that the message is
// its own: work holds the lock shared, the repetition holds it exclusively.
static pthread_rwlock_t error_lock = PTHREAD_RWLOCK_INITIALIZER;

typedef int (*work_function)(void *context);

static int run_with_message(work_function work, void *context, graft_vips_message *message) {
  message->text[0] = '\0';
  pthread_rwlock_rdlock(&error_lock);
  int status = work(context);
  pthread_rwlock_unlock(&error_lock);
  if (status == 0) return 0;

  pthread_rwlock_wrlock(&error_lock);
  vips_error_clear();
  status = work(context);
  if (status != 0) {
    const char *text = vips_error_buffer();
    size_t length = strcspn(text, "\n");
    if (length >= sizeof message->text) length = sizeof message->text - 1;
    memcpy(message->text, text, length);
    message->text[length] = '\0';
  }
  vips_error_clear();
  pthread_rwlock_unlock(&error_lock);
  return status;
}

// MARK: - Size

typedef struct {
  const void *bytes;
  size_t byte_count;
  int32_t width, height;
} size_work;

static int read_size(void *context) {
  size_work *work = context;
  VipsImage *image = vips_image_new_from_buffer(
      work->bytes, work->byte_count, "", "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, (void *)NULL);
  if (!image) return -1;
  // Orientations 5 to 8 lay the picture on its side.
  int turned = vips_image_get_orientation(image) >= 5;
  work->width = turned ? vips_image_get_height(image) : vips_image_get_width(image);
  work->height = turned ? vips_image_get_width(image) : vips_image_get_height(image);
  g_object_unref(image);
  return 0;
}

int graft_vips_read_size(
    const void *bytes, size_t byte_count, int32_t *width, int32_t *height, graft_vips_message *message) {
  size_work work = {bytes, byte_count, 0, 0};
  int status = run_with_message(read_size, &work, message);
  *width = work.width;
  *height = work.height;
  return status;
}

// MARK: - Pixels

typedef struct {
  const void *bytes;
  size_t byte_count;
  int32_t width, height;  // of bare pixels; zero where `bytes` are an encoded file
  graft_vips_window window;
  uint8_t *output;
  size_t row_bytes;
} pixel_work;

// Puts `next` in the place of `*image` when the step before succeeded.
static int replace(VipsImage **image, int status, VipsImage *next) {
  if (status != 0) return -1;
  g_object_unref(*image);
  *image = next;
  return 0;
}

// Whatever the picture's colour space, alpha and depth are, it becomes three bands of 8-bit sRGB.
static int convert_to_rgb(VipsImage **image) {
  VipsImage *next = NULL;
  if (vips_image_get_typeof(*image, "icc-profile-data") != 0) {
    // A profile that cannot be used is passed over, as browsers do.
    if (vips_icc_transform(*image, &next, "srgb", "embedded", 1, (void *)NULL) == 0) {
      replace(image, 0, next);
    } else {
      vips_error_clear();
    }
    next = NULL;
  }
  if (vips_image_get_interpretation(*image) != VIPS_INTERPRETATION_sRGB) {
    if (replace(image, vips_colourspace(*image, &next, VIPS_INTERPRETATION_sRGB, (void *)NULL), next)) return -1;
    next = NULL;
  }
  if (vips_image_hasalpha(*image)) {
    VipsArrayDouble *white = vips_array_double_newv(3, 255.0, 255.0, 255.0);
    int status = vips_flatten(*image, &next, "background", white, (void *)NULL);
    vips_area_unref(white);
    if (replace(image, status, next)) return -1;
    next = NULL;
  }
  if (vips_image_get_bands(*image) > 3) {
    if (replace(image, vips_extract_band(*image, &next, 0, "n", 3, (void *)NULL), next)) return -1;
    next = NULL;
  }
  if (vips_image_get_format(*image) != VIPS_FORMAT_UCHAR) {
    if (replace(image, vips_cast_uchar(*image, &next, (void *)NULL), next)) return -1;
  }
  return 0;
}

static int write_strip(VipsRegion *region, const pixel_work *work, int32_t row, int32_t row_count) {
  const graft_vips_window *window = &work->window;
  size_t length = 0;
  size_t window_row_bytes = (size_t)window->width * 3;
  uint8_t *strip = vips_region_fetch(region, window->left, window->top + row, window->width, row_count, &length);
  if (!strip) return -1;
  int status = length == window_row_bytes * (size_t)row_count ? 0 : -1;
  for (int32_t i = 0; status == 0 && i < row_count; i++) {
    memcpy(
        work->output + (size_t)(row + i) * work->row_bytes, strip + (size_t)i * window_row_bytes, window_row_bytes);
  }
  g_free(strip);
  return status;
}

// Loaders read from top to bottom, so that a file that ends early shows only in its last rows. One column of the rows
// below the window makes the loader read them.
static int read_to_the_end(VipsRegion *region, const graft_vips_window *window, int32_t strip_height) {
  for (int32_t row = window->top + window->height; row < window->scaled_height; row += strip_height) {
    int32_t left_over = window->scaled_height - row;
    int32_t row_count = left_over < strip_height ? left_over : strip_height;
    size_t length = 0;
    void *column = vips_region_fetch(region, window->left, row, 1, row_count, &length);
    if (!column) return -1;
    g_free(column);
  }
  return 0;
}

// Runs the pipeline on this thread, strip by strip: libvips's own sinks would hand the work to threads of theirs.
static int write_window(VipsImage *image, const pixel_work *work) {
  enum { strip_height = 32 };
  const graft_vips_window *window = &work->window;
  if (vips_image_get_bands(image) != 3 || vips_image_get_width(image) != window->scaled_width ||
      vips_image_get_height(image) != window->scaled_height) {
    return -1;
  }
  VipsRegion *region = vips_region_new(image);
  if (!region) return -1;
  int status = 0;
  for (int32_t row = 0; status == 0 && row < window->height; row += strip_height) {
    int32_t left_over = window->height - row;
    status = write_strip(region, work, row, left_over < strip_height ? left_over : strip_height);
  }
  if (status == 0) status = read_to_the_end(region, window, strip_height);
  g_object_unref(region);
  return status;
}

static int decode(void *context) {
  pixel_work *work = context;
  VipsImage *image = NULL;
  int status = vips_thumbnail_buffer(
      (void *)work->bytes, work->byte_count, &image, work->window.scaled_width, "height", work->window.scaled_height,
      "size", VIPS_SIZE_FORCE, "fail_on", VIPS_FAIL_ON_ERROR, (void *)NULL);
  if (status != 0) return -1;
  status = convert_to_rgb(&image);
  if (status == 0) status = write_window(image, work);
  g_object_unref(image);
  return status;
}

static int scale(void *context) {
  pixel_work *work = context;
  VipsImage *pixels = vips_image_new_from_memory(
      work->bytes, work->byte_count, work->width, work->height, 3, VIPS_FORMAT_UCHAR);
  if (!pixels) return -1;
  VipsImage *next = NULL;
  int status = vips_copy(pixels, &next, "interpretation", VIPS_INTERPRETATION_sRGB, (void *)NULL);
  status = replace(&pixels, status, next);
  next = NULL;
  if (status == 0) {
    status = vips_thumbnail_image(
        pixels, &next, work->window.scaled_width, "height", work->window.scaled_height, "size", VIPS_SIZE_FORCE,
        (void *)NULL);
    status = replace(&pixels, status, next);
  }
  if (status == 0) status = convert_to_rgb(&pixels);
  if (status == 0) status = write_window(pixels, work);
  g_object_unref(pixels);
  return status;
}

int graft_vips_decode(
    const void *bytes, size_t byte_count, graft_vips_window window, uint8_t *output, size_t row_bytes,
    graft_vips_message *message) {
  pixel_work work = {bytes, byte_count, 0, 0, window, output, row_bytes};
  return run_with_message(decode, &work, message);
}

int graft_vips_scale(
    const uint8_t *pixels, int32_t width, int32_t height, graft_vips_window window, uint8_t *output, size_t row_bytes,
    graft_vips_message *message) {
  pixel_work work = {pixels, (size_t)width * (size_t)height * 3, width, height, window, output, row_bytes};
  return run_with_message(scale, &work, message);
}
