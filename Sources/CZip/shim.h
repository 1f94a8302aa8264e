// libzip as Swift sees it: its constants are macros with casts, which Swift cannot import.
#ifndef GRAFT_CZIP_SHIM_H
#define GRAFT_CZIP_SHIM_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zip.h>

/// An open file as a source of libzip.
struct czip_file {
  int descriptor;
  zip_int64_t byte_count;
  zip_int64_t position;
  zip_error_t error;
};

static inline zip_int64_t czip_answer(void *state, void *data, zip_uint64_t length, zip_source_cmd_t command) {
  struct czip_file *file = (struct czip_file *)state;
  switch (command) {
  case ZIP_SOURCE_SUPPORTS:
    return zip_source_make_command_bitmap(
        ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE,
        ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, ZIP_SOURCE_SUPPORTS, -1);
  case ZIP_SOURCE_OPEN: file->position = 0; return 0;
  case ZIP_SOURCE_CLOSE: return 0;
  case ZIP_SOURCE_READ: {
    ssize_t count;
    do {
      count = pread(file->descriptor, data, (size_t)length, (off_t)file->position);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
      zip_error_set(&file->error, ZIP_ER_READ, errno);
      return -1;
    }
    file->position += count;
    return count;
  }
  case ZIP_SOURCE_SEEK: {
    zip_int64_t target = zip_source_seek_compute_offset(
        (zip_uint64_t)file->position, (zip_uint64_t)file->byte_count, data, length, &file->error);
    if (target < 0) return -1;
    file->position = target;
    return 0;
  }
  case ZIP_SOURCE_TELL: return file->position;
  case ZIP_SOURCE_STAT: {
    if (length < sizeof(zip_stat_t)) return -1;
    zip_stat_t *status = (zip_stat_t *)data;
    zip_stat_init(status);
    status->size = (zip_uint64_t)file->byte_count;
    status->valid |= ZIP_STAT_SIZE;
    return sizeof(zip_stat_t);
  }
  case ZIP_SOURCE_ERROR: return zip_error_to_data(&file->error, data, length);
  case ZIP_SOURCE_FREE:
    zip_error_fini(&file->error);
    free(file);
    return 0;
  default:
    zip_error_set(&file->error, ZIP_ER_OPNOTSUPP, 0);
    return -1;
  }
}

/// Reads an archive from a descriptor, which stays open and is the caller's; null with a code of libzip in `code`.
static inline zip_t *czip_open_for_reading(int descriptor, zip_int64_t byte_count, int *code) {
  struct czip_file *file = (struct czip_file *)calloc(1, sizeof *file);
  *code = ZIP_ER_MEMORY;
  if (file == NULL) return NULL;
  file->descriptor = descriptor;
  file->byte_count = byte_count;
  zip_error_init(&file->error);
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t *source = zip_source_function_create(czip_answer, file, &error);
  if (source == NULL) {
    free(file);
    return NULL;
  }
  zip_t *archive = zip_open_from_source(source, ZIP_RDONLY, &error);
  *code = zip_error_code_zip(&error);
  zip_error_fini(&error);
  if (archive == NULL) zip_source_free(source);
  return archive;
}

/// Makes an archive; a file that is there is replaced when the archive is closed.
static inline zip_t *czip_create(const char *path, int *code) {
  return zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, code);
}

/// What libzip calls a code of opening; the text is written into `text`.
static inline void czip_describe(int code, char *text, size_t size) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const char *words = zip_error_strerror(&error);
  size_t length = 0;
  for (; length + 1 < size && words[length] != 0; ++length) text[length] = words[length];
  if (size > 0) text[length] = 0;
  zip_error_fini(&error);
}

/// Whether a member's size before and after packing is known.
static inline int czip_knows_sizes(const zip_stat_t *status) {
  return (status->valid & ZIP_STAT_SIZE) != 0 && (status->valid & ZIP_STAT_COMP_SIZE) != 0;
}

/// Adds a member that is stored as it is and carries the earliest time that the format knows.
static inline int czip_add_stored(zip_t *archive, const char *name, const void *bytes, zip_uint64_t count) {
  zip_source_t *source = zip_source_buffer(archive, bytes, count, 0);
  if (source == NULL) return -1;
  zip_int64_t index = zip_file_add(archive, name, source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    return -1;
  }
  // 1 January 1980, midnight: year, month and day share one number of 16 bits.
  if (zip_file_set_dostime(archive, (zip_uint64_t)index, 0, 1 << 5 | 1, 0) < 0) return -1;
  return zip_set_file_compression(archive, (zip_uint64_t)index, ZIP_CM_STORE, 0);
}

#endif
