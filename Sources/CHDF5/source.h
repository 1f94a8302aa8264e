// A driver for libhdf5 that reads from an open descriptor or from memory, and from nowhere else.
//
// The drivers of libhdf5 open a path, which may be another file by then, or copy an image of the file. This one takes
// what is open already, so that a process that may open nothing can read with it.

#ifndef CHDF5_SOURCE_H
#define CHDF5_SOURCE_H

#include <errno.h>
#include <hdf5.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// Where the bytes of a file come from.
struct chdf5_source {
  /// An open descriptor; -1 where the bytes lie in memory.
  int descriptor;
  /// The bytes; used where there is no descriptor.
  const uint8_t *bytes;
  /// How many bytes there are.
  uint64_t byte_count;
  /// Whoever keeps descriptor or bytes alive; held from opening to closing.
  void *owner;
  void (*retain)(void *owner);
  void (*release)(void *owner);
};

/// A file that libhdf5 has open; the first member is what the library knows of it.
struct chdf5_open_source {
  H5FD_t base;
  struct chdf5_source source;
  haddr_t allocated;
};

static inline H5FD_t *chdf5_source_open(const char *name, unsigned flags, hid_t list, haddr_t maximum) {
  (void)name;
  (void)maximum;
  const struct chdf5_source *source = (const struct chdf5_source *)H5Pget_driver_info(list);
  if (source == NULL || (flags & H5F_ACC_RDWR) != 0) return NULL;
  struct chdf5_open_source *file = (struct chdf5_open_source *)calloc(1, sizeof *file);
  if (file == NULL) return NULL;
  file->source = *source;
  source->retain(source->owner);
  return &file->base;
}

static inline herr_t chdf5_source_close(H5FD_t *base) {
  struct chdf5_open_source *file = (struct chdf5_open_source *)base;
  file->source.release(file->source.owner);
  free(file);
  return 0;
}

/// Orders open files; two openings of one file share nothing, which is safe where nobody writes.
static inline int chdf5_source_compare(const H5FD_t *left, const H5FD_t *right) {
  return left < right ? -1 : left > right;
}

static inline herr_t chdf5_source_query(const H5FD_t *base, unsigned long *flags) {
  (void)base;
  if (flags) *flags = H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE;
  return 0;
}

static inline haddr_t chdf5_source_get_allocated(const H5FD_t *base, H5FD_mem_t type) {
  (void)type;
  return ((const struct chdf5_open_source *)base)->allocated;
}

static inline herr_t chdf5_source_set_allocated(H5FD_t *base, H5FD_mem_t type, haddr_t end) {
  (void)type;
  ((struct chdf5_open_source *)base)->allocated = end;
  return 0;
}

static inline haddr_t chdf5_source_get_end(const H5FD_t *base, H5FD_mem_t type) {
  (void)type;
  return ((const struct chdf5_open_source *)base)->source.byte_count;
}

static inline herr_t chdf5_source_read(
    H5FD_t *base, H5FD_mem_t type, hid_t list, haddr_t address, size_t size, void *buffer) {
  (void)type;
  (void)list;
  const struct chdf5_source *source = &((struct chdf5_open_source *)base)->source;
  if (address > source->byte_count) return -1;
  uint64_t left = source->byte_count - address;
  size_t present = size < left ? size : (size_t)left;
  // Beyond the end there are zeros, as the library expects of its drivers.
  if (present < size) memset((uint8_t *)buffer + present, 0, size - present);
  if (source->descriptor < 0) {
    memcpy(buffer, source->bytes + address, present);
    return 0;
  }
  size_t done = 0;
  while (done < present) {
    ssize_t count = pread(source->descriptor, (uint8_t *)buffer + done, present - done, (off_t)(address + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return -1;
    done += (size_t)count;
  }
  return 0;
}

static inline herr_t chdf5_source_write(
    H5FD_t *base, H5FD_mem_t type, hid_t list, haddr_t address, size_t size, const void *buffer) {
  (void)base, (void)type, (void)list, (void)address, (void)size, (void)buffer;
  return -1;
}

/// The driver's identifier, registered by the first call; calls must not run beside each other.
static inline hid_t chdf5_source_driver(void) {
  static hid_t identifier = -1;
  if (identifier >= 0) return identifier;
  static const H5FD_class_t driver = {
#if H5_VERSION_GE(1, 13, 2)
      .version = H5FD_CLASS_VERSION,
      // Numbers from 256 to 511 are for drivers outside the library's registry.
      .value = (H5FD_class_value_t)311,
#endif
      .name = "graft",
      .maxaddr = (haddr_t)INT64_MAX,
      .fc_degree = H5F_CLOSE_WEAK,
      .fapl_size = sizeof(struct chdf5_source),
      .open = chdf5_source_open,
      .close = chdf5_source_close,
      .cmp = chdf5_source_compare,
      .query = chdf5_source_query,
      .get_eoa = chdf5_source_get_allocated,
      .set_eoa = chdf5_source_set_allocated,
      .get_eof = chdf5_source_get_end,
      .read = chdf5_source_read,
      .write = chdf5_source_write,
      .fl_map = H5FD_FLMAP_SINGLE,
  };
  identifier = H5FDregister(&driver);
  return identifier;
}

/// A property list with which `chdf5_open_source` opens what a source holds; to be closed.
static inline hid_t chdf5_make_source_list(const struct chdf5_source *source) {
  hid_t driver = chdf5_source_driver();
  if (driver < 0) return -1;
  hid_t list = H5Pcreate(H5P_FILE_ACCESS);
  if (list >= 0 && H5Pset_driver(list, driver, source) < 0) {
    H5Pclose(list);
    return -1;
  }
  return list;
}

/// Opens for reading what the list's source holds; a negative identifier where it is no sound file.
///
/// The name leads nowhere. It is an absolute one, since the library asks where it is when it gets a relative one, which
/// a process without rights may not.
static inline hid_t chdf5_open_source(hid_t list) { return H5Fopen("/graft", H5F_ACC_RDONLY, list); }

#endif
