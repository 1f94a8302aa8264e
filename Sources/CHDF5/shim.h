// The HDF5 C library for Swift, and zlib for the deflate filter of its chunks.
//
// A function stands here only where Swift cannot import what it hides: a macro, a function whose name is a macro in
// newer releases, or a constant that is a function call.

#ifndef CHDF5_SHIM_H
#define CHDF5_SHIM_H

// Releases after 1.10 keep the meaning of 1.10 for the names below.
#define H5_USE_110_API
#include <hdf5.h>
#include <string.h>
#include <zlib.h>

// MARK: - Property lists

/// What a property list is for.
enum chdf5_list_kind { chdf5_file_create, chdf5_file_access, chdf5_group_create, chdf5_dataset_create };

static inline hid_t chdf5_make_list(enum chdf5_list_kind kind) {
  switch (kind) {
  case chdf5_file_create: return H5Pcreate(H5P_FILE_CREATE);
  case chdf5_file_access: return H5Pcreate(H5P_FILE_ACCESS);
  case chdf5_group_create: return H5Pcreate(H5P_GROUP_CREATE);
  case chdf5_dataset_create: return H5Pcreate(H5P_DATASET_CREATE);
  }
  return -1;
}

// MARK: - Files

static inline hid_t chdf5_create_file(const char *path, hid_t create_list, hid_t access_list) {
  return H5Fcreate(path, H5F_ACC_TRUNC, create_list, access_list);
}

// MARK: - Links and objects

/// How a name leads to an object.
enum chdf5_link_kind { chdf5_hard_link, chdf5_soft_link, chdf5_external_link, chdf5_user_link };

static inline int chdf5_link_kind_of(const H5L_info_t *info) {
  switch ((int)info->type) {
  case H5L_TYPE_HARD: return chdf5_hard_link;
  case H5L_TYPE_SOFT: return chdf5_soft_link;
  case H5L_TYPE_EXTERNAL: return chdf5_external_link;
  default: return chdf5_user_link;
  }
}

/// The kind of the link `name` in `group` (a `chdf5_link_kind`), or -1; the link is not followed.
static inline int chdf5_get_link_kind(hid_t group, const char *name) {
  H5L_info_t info;
  if (H5Lget_info(group, name, &info, H5P_DEFAULT) < 0) return -1;
  return chdf5_link_kind_of(&info);
}

/// Called with the name and kind of each link; a positive result stops.
typedef int (*chdf5_link_visitor)(const char *name, int kind, void *context);

struct chdf5_link_visit {
  chdf5_link_visitor visitor;
  void *context;
};

static inline herr_t chdf5_visit_link(hid_t group, const char *name, const H5L_info_t *info, void *data) {
  (void)group;
  struct chdf5_link_visit *visit = (struct chdf5_link_visit *)data;
  return visit->visitor(name, chdf5_link_kind_of(info), visit->context);
}

/// Visits the links of `group` by name; negative on failure.
static inline herr_t chdf5_each_link(hid_t group, chdf5_link_visitor visitor, void *context) {
  struct chdf5_link_visit visit = {visitor, context};
  hsize_t index = 0;
  return H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, &index, chdf5_visit_link, &visit);
}

/// What an object is.
enum chdf5_object_kind { chdf5_group, chdf5_dataset, chdf5_other_object };

/// The kind of an object (a `chdf5_object_kind`) and where its header lies in the file, or -1.
static inline int chdf5_get_object(hid_t location, const char *name, uint64_t *address) {
  H5O_info_t info;
  if (H5Oget_info_by_name2(location, name, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0) return -1;
  *address = info.addr;
  switch (info.type) {
  case H5O_TYPE_GROUP: return chdf5_group;
  case H5O_TYPE_DATASET: return chdf5_dataset;
  default: return chdf5_other_object;
  }
}

/// Called with the name of each attribute; a positive result stops.
typedef int (*chdf5_name_visitor)(const char *name, void *context);

struct chdf5_name_visit {
  chdf5_name_visitor visitor;
  void *context;
};

static inline herr_t chdf5_visit_attribute(hid_t object, const char *name, const H5A_info_t *info, void *data) {
  (void)object;
  (void)info;
  struct chdf5_name_visit *visit = (struct chdf5_name_visit *)data;
  return visit->visitor(name, visit->context);
}

/// Visits the attributes of `object` by name; negative on failure.
static inline herr_t chdf5_each_attribute(hid_t object, chdf5_name_visitor visitor, void *context) {
  struct chdf5_name_visit visit = {visitor, context};
  hsize_t index = 0;
  return H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &index, chdf5_visit_attribute, &visit);
}

// MARK: - Datasets

/// Whether `address` is the library's sign for "nowhere".
static inline int chdf5_is_nowhere(haddr_t address) { return address == HADDR_UNDEF; }

/// Reads a chunk as it is stored, before any filter is undone.
static inline herr_t chdf5_read_chunk(hid_t dataset, const hsize_t *offset, uint32_t *skipped_filters, void *buffer) {
  return H5Dread_chunk(dataset, H5P_DEFAULT, offset, skipped_filters, buffer);
}

static inline herr_t chdf5_read(hid_t dataset, hid_t type, void *buffer) {
  return H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer);
}

static inline herr_t chdf5_write(hid_t dataset, hid_t type, const void *buffer) {
  return H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer);
}

static inline herr_t chdf5_reclaim(hid_t type, hid_t space, void *buffer) {
  return H5Dvlen_reclaim(type, space, H5P_DEFAULT, buffer);
}

/// Whether partial chunks at the far edges are stored without filters.
static inline int chdf5_leaves_partial_chunks_unfiltered(hid_t create_list) {
  unsigned options = 0;
  return H5Pget_chunk_opts(create_list, &options) >= 0 && (options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) != 0;
}

// MARK: - Types

/// An integer of 1, 2, 4 or 8 bytes; to be closed.
static inline hid_t chdf5_make_integer(size_t size, int is_signed, H5T_order_t order) {
  hid_t type = H5Tcopy(is_signed ? H5T_STD_I8LE : H5T_STD_U8LE);
  if (type < 0) return type;
  if (H5Tset_size(type, size) < 0 || H5Tset_precision(type, 8 * size) < 0 || H5Tset_order(type, order) < 0) {
    H5Tclose(type);
    return -1;
  }
  return type;
}

/// An IEEE 754 number of 2, 4 or 8 bytes; to be closed.
static inline hid_t chdf5_make_float(size_t size, H5T_order_t order) {
  hid_t type = H5Tcopy(size == 8 ? H5T_IEEE_F64LE : H5T_IEEE_F32LE);
  if (type < 0) return type;
  // A half is a single whose fields were moved together before its size shrank.
  if (size == 2 && (H5Tset_fields(type, 15, 10, 5, 0, 10) < 0 || H5Tset_precision(type, 16) < 0 ||
                    H5Tset_size(type, 2) < 0 || H5Tset_ebias(type, 15) < 0)) {
    H5Tclose(type);
    return -1;
  }
  if (H5Tset_order(type, order) < 0) {
    H5Tclose(type);
    return -1;
  }
  return type;
}

/// A string of `size` bytes padded with zeros, or one of any length if `size` is zero; to be closed.
static inline hid_t chdf5_make_string(size_t size, int is_utf8) {
  hid_t type = H5Tcopy(H5T_C_S1);
  if (type < 0) return type;
  herr_t status = H5Tset_size(type, size == 0 ? H5T_VARIABLE : size);
  if (status >= 0 && size != 0) status = H5Tset_strpad(type, H5T_STR_NULLPAD);
  if (status >= 0) status = H5Tset_cset(type, is_utf8 ? H5T_CSET_UTF8 : H5T_CSET_ASCII);
  if (status < 0) {
    H5Tclose(type);
    return -1;
  }
  return type;
}

// MARK: - Errors

/// Keeps the library from printing; its printing state belongs to a thread in some builds.
static inline void chdf5_be_quiet(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

struct chdf5_reason {
  char *text;
  size_t capacity;
};

static inline herr_t chdf5_copy_reason(unsigned depth, const H5E_error2_t *error, void *data) {
  struct chdf5_reason *reason = (struct chdf5_reason *)data;
  if (depth == 0 && error->desc) {
    strncpy(reason->text, error->desc, reason->capacity - 1);
    reason->text[reason->capacity - 1] = 0;
  }
  return 0;
}

/// Writes the innermost reason of the last failure, an empty string if there is none.
static inline void chdf5_get_reason(char *text, size_t capacity) {
  struct chdf5_reason reason = {text, capacity};
  text[0] = 0;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, chdf5_copy_reason, &reason);
}

#endif
