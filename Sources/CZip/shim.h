// libzip as Swift sees it: its constants are macros with casts, which Swift cannot import.
#ifndef GRAFT_CZIP_SHIM_H
#define GRAFT_CZIP_SHIM_H

#include <zip.h>

/// Opens an archive for reading, nil with a code of libzip in `code`.
static inline zip_t *czip_open_for_reading(const char *path, int *code) { return zip_open(path, ZIP_RDONLY, code); }

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
