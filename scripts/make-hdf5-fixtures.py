"""Writes small HDF5 files of every kind that HDF5Files reads or refuses.

The numbers follow rules that the tests repeat, so that no golden values need to be kept beside the files.
"""

import os
import struct
import sys
import zlib

import h5py
import numpy as np
from h5py import h5d, h5f, h5l, h5p, h5s, h5t

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)


def new(name, **options):
    path = os.path.join(folder, name + ".h5")
    if os.path.exists(path):
        os.remove(path)
    return h5py.File(path, "w", **options)


def ramp(kind, shape=(3, 4)):
    """0, 1, 2, ... for unsigned kinds; 0, -1, 2, -3, ... for signed ones."""
    values = np.arange(int(np.prod(shape)), dtype=np.float64).reshape(shape)
    if np.dtype(kind).kind != "u":
        values = np.where(values % 2 == 1, -values, values)
    return values.astype(kind)


def timeless():
    """A list of wishes for a dataset that keeps no times, so that runs differ only where h5py keeps them itself."""
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_obj_track_times(False)
    return plist


# Every element type in both byte orders.
with new("types") as file:
    for code in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
        file.create_dataset(f"little/{code}", data=ramp("<" + code))
        file.create_dataset(f"big/{code}", data=ramp(">" + code))
    file["bool"] = np.array([True, False, True])
    file["scalar"] = np.float32(2.5)
    file["empty"] = np.zeros((0, 5), dtype="f4")
    bits = (ramp("f4").view(np.uint32) >> 16).astype("<u2")
    brain = file.create_dataset("brain", shape=(3, 4), dtype="V2")
    brain[...] = bits.view("V2")
    brain.attrs["dtype"] = "bfloat16"
    file.create_dataset("opaque", data=bits.view("V2"))
    # bfloat16 as a floating-point type, as releases after 1.14 name it.
    real = h5t.IEEE_F32BE.copy()
    real.set_fields(15, 7, 8, 0, 7)
    real.set_precision(16)
    real.set_size(2)
    real.set_ebias(127)
    space = h5s.create_simple((3, 4))
    dataset = h5d.create(file.id, b"brain_float", real, space, dcpl=timeless())
    dataset.write(h5s.ALL, h5s.ALL, bits.astype(">u2"), mtype=real)
    file["compound"] = np.zeros(2, dtype=[("a", "f4"), ("b", "i4")])
    file["complex"] = np.zeros(2, dtype="c8")
    file.create_dataset("reference", data=[file["bool"].ref], dtype=h5py.ref_dtype)
    file.create_dataset("varying", shape=(1,), dtype=h5py.vlen_dtype("i4"))[0] = [1, 2]
    odd = h5t.STD_I32LE.copy()
    odd.set_precision(24)
    h5d.create(file.id, b"odd_integer", odd, space, dcpl=timeless()).write(h5s.ALL, h5s.ALL, ramp("<i4"), mtype=h5t.NATIVE_INT32)

# Every layout and every pipeline of filters that is read.
with new("layouts") as file:
    data = ramp("<f4", (7, 5, 3))
    file["contiguous"] = data
    compact = timeless()
    compact.set_layout(h5d.COMPACT)
    dataset = h5d.create(file.id, b"compact", h5t.IEEE_F32LE, h5s.create_simple(data.shape), dcpl=compact)
    dataset.write(h5s.ALL, h5s.ALL, data)
    for name, options in {
        "chunked": {},
        "deflate": {"compression": "gzip"},
        "shuffle": {"shuffle": True},
        "fletcher32": {"fletcher32": True},
        "shuffle_deflate": {"shuffle": True, "compression": "gzip"},
        "all": {"shuffle": True, "compression": "gzip", "compression_opts": 9, "fletcher32": True},
    }.items():
        file.create_dataset(name, data=data, chunks=(3, 2, 2), **options)
    file.create_dataset("one_chunk", data=data, chunks=(7, 5, 3), compression="gzip")
    file.create_dataset("rows", data=data, chunks=(2, 5, 3), compression="gzip")
    file.create_dataset("wide_chunk", data=data, chunks=(8, 8, 8), maxshape=(None, None, None), compression="gzip")
    file.create_dataset("growing", data=data, chunks=(3, 5, 3), maxshape=(None, 5, 3))
    file.create_dataset("big_all", data=data.astype(">f4"), chunks=(3, 2, 2), shuffle=True, compression="gzip")
    file.create_dataset("half", data=data.astype(">f2"), chunks=(4, 5, 3), shuffle=True, fletcher32=True)
    file.create_dataset("bytes", data=ramp("u1", (11,)), chunks=(3,), fletcher32=True)
    # Checksum before compression, and a chunk whose filters were skipped.
    plist = timeless()
    plist.set_chunk((3, 2, 2))
    plist.set_fletcher32()
    plist.set_deflate(6)
    dataset = h5d.create(file.id, b"checksum_first", h5t.IEEE_F32LE, h5s.create_simple(data.shape), dcpl=plist)
    dataset.write(h5s.ALL, h5s.ALL, data)
    raw = file.create_dataset("skipped", shape=(4,), dtype="<f4", chunks=(2,), compression="gzip")
    raw[2:] = ramp("<f4", (4,))[2:]
    raw.id.write_direct_chunk((0,), ramp("<f4", (4,))[:2].tobytes(), filter_mask=1)

# The newest file format has other indexes for chunks, groups and attributes.
with new("latest", libver="latest") as file:
    data = ramp("<f4", (7, 5, 3))
    file.create_dataset("fixed", data=data, chunks=(3, 2, 2), compression="gzip")
    file.create_dataset("extensible", data=data, chunks=(3, 2, 2), maxshape=(None, 5, 3), compression="gzip")
    file.create_dataset("tree", data=data, chunks=(3, 2, 2), maxshape=(None, None, 3), shuffle=True)
    file.create_dataset("single", data=data, chunks=(7, 5, 3))
    plist = timeless()
    plist.set_chunk((3, 2, 2))
    plist.set_alloc_time(h5d.ALLOC_TIME_EARLY)
    dataset = h5d.create(file.id, b"implicit", h5t.IEEE_F32LE, h5s.create_simple(data.shape), dcpl=plist)
    dataset.write(h5s.ALL, h5s.ALL, data)
    for index in range(20):
        file.attrs[f"attribute {index:02}"] = index
        file.create_group(f"group {index:02}")

# Strings in every dress.
with new("strings") as file:
    def fixed(name, values, size, padding, charset=h5t.CSET_ASCII):
        kind = h5t.C_S1.copy()
        kind.set_size(size)
        kind.set_strpad(padding)
        kind.set_cset(charset)
        filler = b" " if padding == h5t.STR_SPACEPAD else b"\0"
        block = np.frombuffer(b"".join(value.ljust(size, filler) for value in values), dtype=f"V{size}")
        space = h5s.create_simple((len(values),))
        h5d.create(file.id, name.encode(), kind, space, dcpl=timeless()).write(h5s.ALL, h5s.ALL, block, mtype=kind)
        h5py.h5a.create(file.id, name.encode(), kind, space).write(block, mtype=kind)

    fixed("null_padded", [b"kernel", b"b", b"weights8"], 8, h5t.STR_NULLPAD)
    fixed("null_terminated", [b"kernel", b"b\0rest", b"weights"], 8, h5t.STR_NULLTERM)
    fixed("space_padded", [b"kernel", b"two words", b""], 10, h5t.STR_SPACEPAD)
    fixed("utf8", ["grün".encode(), "重み".encode()], 8, h5t.STR_NULLPAD, h5t.CSET_UTF8)
    fixed("not_utf8", [b"gr\xfcn"], 8, h5t.STR_NULLPAD, h5t.CSET_UTF8)
    file.create_dataset("variable", data=["kernel", "", "grün 重み"], dtype=h5py.string_dtype())
    file.create_dataset("variable_ascii", data=[b"kernel", b"b"], dtype=h5py.string_dtype("ascii"))
    file.create_dataset("variable_packed", data=["a" * 9, "b"] * 4, dtype=h5py.string_dtype(), chunks=(3,),
                        compression="gzip", shuffle=True)
    file.create_dataset("variable_scalar", data="alone")
    attributes = file.attrs
    attributes["variable"] = "grün 重み"
    attributes["variable_list"] = ["kernel", "", "grün"]
    attributes["bytes"] = np.bytes_(b"kernel")
    attributes["weight_names"] = np.array([b"conv1/kernel:0", b"conv1/bias:0"])
    attributes["no_names"] = np.array([])
    attributes["nothing"] = h5py.Empty("f4")
    attributes["long"] = "0123456789" * 10_000
    attributes["integer"] = 7
    attributes["big_integer"] = np.array(7, dtype=">i8")
    attributes["unsigned"] = np.uint64(2**64 - 1)
    attributes["number"] = 2.5
    attributes["flag"] = True
    attributes["numbers"] = np.arange(6, dtype=">f4").reshape(2, 3)
    attributes["half"] = np.float16(-1.5)
    attributes["compound"] = np.zeros(2, dtype=[("a", "f4")])

# A legacy layer group as Keras lays it out.
with new("groups") as file:
    file["a/b/c"] = ramp("<f4")
    file["a/b/d"] = ramp("<i4")
    file["a/e"] = np.float64(1)
    file["z"] = np.dtype("i4")
    file["twin"] = file["a/b"]

# Ways out of the file.
with new("links") as file:
    file["real/data"] = ramp("<f4")
    file["soft"] = h5py.SoftLink("/real/data")
    file["soft_group"] = h5py.SoftLink("/real")
    file["dangling"] = h5py.SoftLink("/nowhere")
    file["external"] = h5py.ExternalLink("types.h5", "/little/f4")
    file["external_group"] = h5py.ExternalLink("types.h5", "/little")
    file["real/inner"] = h5py.ExternalLink("types.h5", "/")
    file["real/soft"] = h5py.SoftLink("/real")
with new("user_link_new") as file:
    file["middle/user"] = h5py.ExternalLink("types.h5", "/little")

with new("storage") as file:
    plist = timeless()
    plist.set_external(b"types.h5", 0, 48)
    h5d.create(file.id, b"external", h5t.IEEE_F32LE, h5s.create_simple((3, 4)), dcpl=plist)
    layout = h5py.VirtualLayout(shape=(3, 4), dtype="f4")
    layout[:] = h5py.VirtualSource("types.h5", "/little/f4", shape=(3, 4))
    file.create_virtual_dataset("virtual", layout)
    unlimited = h5py.VirtualLayout(shape=(3, 4), dtype="f4", maxshape=(None, 4))
    unlimited[0:h5s.UNLIMITED, :] = h5py.VirtualSource(
        "types.h5", "/little/f4", shape=(3, 4), maxshape=(None, 4))[0:h5s.UNLIMITED, :]
    file.create_virtual_dataset("virtual_unlimited", unlimited)
    file["fine"] = ramp("<f4")

with new("filters") as file:
    file.create_dataset("lzf", data=ramp("<f4"), chunks=(3, 4), compression="lzf")
    file.create_dataset("scaleoffset", data=ramp("<i4"), chunks=(3, 4), scaleoffset=0)
    plist = timeless()
    plist.set_chunk((3, 4))
    plist.set_filter(31999, h5py.h5z.FLAG_OPTIONAL, (1, 2, 3))
    h5d.create(file.id, b"unknown", h5t.IEEE_F32LE, h5s.create_simple((3, 4)), dcpl=plist)
    twice = timeless()
    twice.set_chunk((3, 4))
    twice.set_deflate(9)
    twice.set_deflate(9)
    h5d.create(file.id, b"deflate_twice", h5t.IEEE_F32LE, h5s.create_simple((3, 4)), dcpl=twice).write(
        h5s.ALL, h5s.ALL, ramp("<f4"))
    file["fine"] = ramp("<f4")

# Promises that the file does not keep.
with new("promises") as file:
    file.create_dataset("never_written", shape=(1 << 15, 1 << 15), dtype="f4")
    file.create_dataset("no_chunks", shape=(1 << 20, 1 << 20), dtype="f4", chunks=(1024, 1024), compression="gzip")
    file.create_dataset("uncountable", shape=(1 << 40, 1 << 40), dtype="f4", chunks=(1024, 1024))
    file.create_dataset("overflowing", shape=(1 << 62, 1 << 3), dtype="f4", chunks=(1024, 8))
    some = file.create_dataset("some_chunks", shape=(6, 4), dtype="f4", chunks=(2, 4), compression="gzip")
    some[0:2] = 1
    # A chunk that inflates to a megabyte although it declares 32 bytes, and one that inflates to too little.
    bomb = file.create_dataset("bomb", shape=(8,), dtype="<f4", chunks=(8,), compression="gzip")
    bomb.id.write_direct_chunk((0,), zlib.compress(bytes(1 << 20), 9))
    short = file.create_dataset("short", shape=(8,), dtype="<f4", chunks=(8,), compression="gzip")
    short.id.write_direct_chunk((0,), zlib.compress(bytes(16), 9))
    noise = file.create_dataset("noise", shape=(8,), dtype="<f4", chunks=(8,), compression="gzip")
    noise.id.write_direct_chunk((0,), b"not a deflate stream at all")
    thin = file.create_dataset("thin", shape=(1 << 16,), dtype="<f4", chunks=(1 << 16,), compression="gzip")
    thin.id.write_direct_chunk((0,), zlib.compress(bytes(100), 9))
    wrong = file.create_dataset("checksum", shape=(8,), dtype="<f4", chunks=(8,), fletcher32=True)
    wrong.id.write_direct_chunk((0,), ramp("<f4", (8,)).tobytes() + b"\1\2\3\4")
    file["fine"] = ramp("<f4")

with new("cycle") as file:
    group = file.create_group("a/b")
    group["again"] = file["a"]
    file["a/data"] = ramp("<f4")

with new("deep", libver="latest") as file:
    file["/".join(["g"] * 100)] = np.float32(1)


def patched(source, name, change):
    with open(os.path.join(folder, source + ".h5"), "rb") as stream:
        contents = bytearray(stream.read())
    contents = change(contents)
    with open(os.path.join(folder, name + ".h5"), "wb") as stream:
        stream.write(contents)


# A contiguous dataset whose shape grew in the file without its bytes.
with new("grown") as file:
    file["data"] = np.arange(3 * 769, dtype="<f4").reshape(3, 769)
    offset, size = file["data"].id.get_offset(), file["data"].id.get_storage_size()


def grow(contents, also_size):
    wanted = struct.pack("<QQ", 3, 769)
    assert contents.count(wanted) >= 1
    contents = contents.replace(wanted, struct.pack("<QQ", 1 << 16, 1 << 14))
    if also_size:
        where = struct.pack("<QQ", offset, size)
        assert contents.count(where) == 1
        contents = contents.replace(where, struct.pack("<QQ", offset, 1 << 32))
    return contents


patched("grown", "grown_size", lambda contents: grow(contents, True))
patched("grown", "grown", lambda contents: grow(contents, False))
patched("layouts", "truncated", lambda contents: contents[: len(contents) * 2 // 3])
patched("types", "header_only", lambda contents: contents[:64])


def make_user_link(contents):
    """Turns the only external link (type 64 in its link message) into one of a type that nobody registered."""
    # A link message without checksum: version 1, flags, type, character set or not, length of the name, name.
    at = contents.index(b"\x04user")
    kinds = [place for place in (at - 1, at - 2) if contents[place] == 64]
    assert len(kinds) == 1
    contents[kinds[0]] = 100
    return contents


patched("user_link_new", "user_link", make_user_link)
os.remove(os.path.join(folder, "user_link_new.h5"))

generator = np.random.Generator(np.random.PCG64(7))
with open(os.path.join(folder, "random.h5"), "wb") as stream:
    stream.write(generator.bytes(4096))
with open(os.path.join(folder, "random_signed.h5"), "wb") as stream:
    stream.write(b"\x89HDF\r\n\x1a\n" + generator.bytes(4096))
with open(os.path.join(folder, "empty.h5"), "wb") as stream:
    pass
with new("user_block", userblock_size=1024) as file:
    file["data"] = ramp("<f4")

print(f"h5py {h5py.__version__}, HDF5 {h5py.version.hdf5_version}, numpy {np.__version__}")
for name in sorted(os.listdir(folder)):
    print(f"{os.path.getsize(os.path.join(folder, name)):8} {name}")
