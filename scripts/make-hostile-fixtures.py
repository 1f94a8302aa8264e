"""Writes one small file of Keras for each attack on those who read it.

Every file is a sound one, of the fixtures that real Keras wrote, with one thing about it changed.
"""

import io
import json
import os
import shutil
import struct
import sys
import warnings
import zipfile
import zlib

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

source = sys.argv[1]
is_large = sys.argv[2] == "--large"
folder = sys.argv[3 if is_large else 2]
os.makedirs(folder, exist_ok=True)
warnings.simplefilter("ignore")


def place(name):
    return os.path.join(folder, name)


def changed(name, base="plain-3.h5"):
    """A copy of a sound file, open for its change."""
    shutil.copyfile(os.path.join(source, base), place(name))
    return h5py.File(place(name), "r+")


def first_dataset(file):
    """The path of the first array of weights."""
    found = []
    file["model_weights"].visititems(lambda path, item: found.append(path) if isinstance(item, h5py.Dataset) else None)
    return "/model_weights/" + found[0]


def replaced(name, write):
    """A whole-model file whose first array is replaced by what `write` puts there."""
    with changed(name) as file:
        path = first_dataset(file)
        parent, last = path.rsplit("/", 1)
        data = file[path][...]
        del file[path]
        write(file[parent], last, data)


def read(name):
    with open(place(name), "rb") as stream:
        return stream.read()


def write_whole(name, contents):
    with open(place(name), "wb") as stream:
        stream.write(contents)


def plain_list():
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_obj_track_times(False)
    return plist


def create(group, name, shape, plist):
    return h5d.create(group.id, name.encode(), h5t.IEEE_F32LE, h5s.create_simple(shape), dcpl=plist)


# Ways out of the file.

# Both name files of the system that a careless reader would open.
elsewhere = "/etc/passwd"


def external_link(group, name, data):
    group[name] = h5py.ExternalLink(elsewhere, "/" + name)


def soft_link(group, name, data):
    group[name] = h5py.SoftLink("/optimizer_weights/secret")


def external_storage(group, name, data):
    plist = plain_list()
    plist.set_external(elsewhere.encode(), 0, data.nbytes)
    create(group, name, data.shape, plist)


def virtual(group, name, data):
    # Through the lower interface: the other one has no word for leaving out the time.
    plist = plain_list()
    space = h5s.create_simple(data.shape)
    plist.set_virtual(space, elsewhere.encode(), name.encode(), space)
    create(group, name, data.shape, plist)


def foreign_filter(group, name, data):
    group.create_dataset(name, data=data, chunks=data.shape, compression="lzf")


def deflate_bomb(group, name, data):
    # The one chunk inflates to a thousand times what the array holds.
    plist = plain_list()
    plist.set_chunk(data.shape)
    plist.set_deflate(9)
    create(group, name, data.shape, plist).write_direct_chunk((0,) * data.ndim, zlib.compress(bytes(50_000_000), 9))


def huge_shape(group, name, data):
    create(group, name, (1 << 20, 1 << 20), plain_list())


def huge_chunks(group, name, data):
    plist = plain_list()
    plist.set_chunk((1 << 14, 1 << 14))
    plist.set_deflate(9)
    create(group, name, (1 << 20, 1 << 20), plist)


def wrong_rank(group, name, data):
    group[name] = data.reshape((1,) + data.shape)


def not_numbers(group, name, data):
    group[name] = data
    replaced_values = data.copy()
    replaced_values.reshape(-1)[::3] = np.nan
    group[name][...] = replaced_values


def cut_short(group, name, data):
    plist = plain_list()
    plist.set_chunk(data.shape)
    plist.set_deflate(9)
    create(group, name, data.shape, plist).write_direct_chunk((0,) * data.ndim, zlib.compress(data.tobytes())[:20])


if not is_large:
    for name, write in {
        "external-link": external_link, "soft-link": soft_link, "external-storage": external_storage,
        "virtual-dataset": virtual, "foreign-filter": foreign_filter, "deflate-bomb": deflate_bomb,
        "huge-shape": huge_shape, "huge-chunks": huge_chunks, "wrong-rank": wrong_rank, "nan-weights": not_numbers,
        "half-chunk": cut_short,
    }.items():
        replaced(name + ".h5", write)

    # A link in the middle of the path, which is not the one that a careless reader checks.
    with changed("external-link-in-path.h5") as file:
        path = first_dataset(file)
        parent = path.rsplit("/", 1)[0]
        del file[parent]
        file[parent] = h5py.ExternalLink(elsewhere, "/")

    # A link of a kind that only a plug-in could follow: an external one whose type is changed in the file.
    with changed("user-link.h5") as file:
        path = first_dataset(file)
        parent, last = path.rsplit("/", 1)[0], "kernel"
        del file[parent]
        # Groups that track the order of their links keep each in a message of its own.
        plist = h5p.create(h5p.GROUP_CREATE)
        plist.set_link_creation_order(h5p.CRT_ORDER_TRACKED)
        h5py.h5g.create(file.id, parent.encode(), gcpl=plist)
        file[parent][last] = h5py.ExternalLink("outside.h5", "/target")
    contents = bytearray(read("user-link.h5"))
    name_at = contents.index(bytes([len(last)]) + last.encode() + b"\x14\x00\x00outside.h5")
    types = [at for at in range(name_at - 12, name_at) if contents[at] == 64]
    assert len(types) == 1, types
    contents[types[0]] = 100
    write_whole("user-link.h5", contents)

    # An attribute that claims more than the file has.
    with changed("huge-attribute.h5") as file:
        del file["model_weights"].attrs["layer_names"]
        file["model_weights"].attrs.create("layer_names", np.array([b"12345"] * 7919))
    contents = read("huge-attribute.h5")
    count = struct.pack("<Q", 7919)
    assert count in contents
    write_whole("huge-attribute.h5", contents.replace(count, struct.pack("<Q", 1 << 40)))

    # Code, as Keras 2 wrote it: marshalled, in base 64.
    with changed("lambda.h5", "plain-2.h5") as file:
        config = json.loads(file.attrs["model_config"])
        layer = config["config"]["layers"][-1]
        layer["class_name"] = "Lambda"
        layer["config"] = {
            "name": layer["config"]["name"], "trainable": True, "dtype": "float32",
            "function": ["4wEAAAAA", None, None], "function_type": "lambda", "module": "__main__", "output_shape": None,
            "output_shape_type": "raw", "output_shape_module": None, "arguments": {},
        }
        file.attrs["model_config"] = json.dumps(config)

    # Names that lead elsewhere, or that a terminal would obey.
    for name, word in {
        "dotted-name": "../../../../etc/passwd", "newline-name": "conv\n\x1b[2Jgraft: done", "nul-name": "conv\x00.h5",
    }.items():
        with changed(name + ".h5") as file:
            text = file.attrs["model_config"]
            config = json.loads(text if isinstance(text, str) else text.decode())
            layer = config["config"]["layers"][1]
            layer["config"]["name"] = word
            layer["name"] = word
            file.attrs["model_config"] = json.dumps(config)
        with changed(name + "-of-weights.h5") as file:
            names = file["model_weights"].attrs["layer_names"]
            words = [word.encode()] + [bytes(old) if isinstance(old, bytes) else str(old).encode() for old in names[1:]]
            file["model_weights"].attrs["layer_names"] = np.array(words)

    # Groups inside groups, far deeper than any network, and without an end.
    with changed("deep.weights.h5", "residual-3.weights.h5") as file:
        group = file["layers"]
        for _ in range(80):
            group = group.create_group("deeper/layers")
    with changed("cycle.weights.h5", "residual-3.weights.h5") as file:
        group = file["layers"].create_group("again")
        group["layers"] = file["layers"]

    # Archives.
    def archive(name, change, base="plain-3.keras"):
        with zipfile.ZipFile(os.path.join(source, base)) as old:
            members = [(member, old.read(member)) for member in old.namelist()]
        with zipfile.ZipFile(place(name), "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
            for member, contents in change(members):
                new.writestr(zipfile.ZipInfo(member, (1980, 1, 1, 0, 0, 0)), contents, zipfile.ZIP_DEFLATED, 9)

    def with_config(write):
        def change(members):
            return [(name, write(contents) if name == "config.json" else contents) for name, contents in members]
        return change

    def with_layer(write):
        def edit(contents):
            config = json.loads(contents)
            write(config["config"]["layers"][1])
            return json.dumps(config)
        return with_config(edit)

    def lambda_layer(layer):
        layer.update(class_name="Lambda", module="keras.layers")
        layer["config"]["function"] = {"class_name": "__lambda__", "config": {"code": "4wEAAAAA", "defaults": None}}

    def python_module(layer):
        layer.update(class_name="system", module="os", registered_name=None)

    def with_link(members):
        # The file inside an archive has no place of its own from which another could be found, but may name one.
        inner = io.BytesIO(dict(members)["model.weights.h5"])
        with h5py.File(inner, "r+") as file:
            found = []
            file["layers"].visititems(lambda at, item: found.append(at) if isinstance(item, h5py.Dataset) else None)
            parent, last = ("/layers/" + found[0]).rsplit("/", 1)
            data = file[parent][last][...]
            del file[parent][last]
            external_link(file[parent], last, data)
        return [(name, inner.getvalue() if name == "model.weights.h5" else contents) for name, contents in members]

    archive("external-link.keras", with_link)
    archive("nested-json.keras", with_config(lambda contents: b'{"a":' * 1000 + b"1" + b"}" * 1000))
    archive("lambda.keras", with_layer(lambda_layer))
    archive("python-module.keras", with_layer(python_module))
    archive("dotted-name.keras", with_layer(lambda layer: (
        layer.update(name="../../x"), layer["config"].update(name="../../x"))))
    archive("absolute-member.keras", lambda members: members + [("/tmp/graft-was-here", b"x")])
    archive("dotted-member.keras", lambda members: members + [("../../graft-was-here", b"x")])
    archive("duplicate-member.keras", lambda members: members + [("config.json", b"{}")])
    archive("zip-bomb.keras", lambda members: [
        (name, bytes(100_000_000) if name == "model.weights.h5" else contents) for name, contents in members])

    # Weights in parts: an index that leads elsewhere, and parts that are hostile themselves.
    def index(name, *parts, text=None):
        places = {"/layers/conv2d/vars": list(parts)}
        contents = text or json.dumps({"metadata": {"total_size": 2908.0}, "weight_map": places})
        write_whole(name + ".weights.json", contents.encode())

    def part(name, number, base="parts-3_00000.weights.h5"):
        """A copy of a part, or of another file, as a part of an index."""
        own = f"{name}_{number:05}.weights.h5"
        shutil.copyfile(os.path.join(source, base), place(own))
        return own

    def changed_part(name, write):
        own = part(name, 0)
        with h5py.File(place(own), "r+") as file:
            group = file["layers/conv2d/vars"]
            data = group["0"][...]
            del group["0"]
            write(group, "0", data)
        index(name, own)

    index("dotted-part", "../keras/parts-3_00000.weights.h5")
    index("absolute-part", elsewhere)
    index("newline-part", "newline-part_\n\x1b[2J.weights.h5")
    index("missing-part", part("missing-part", 0), "missing-part_00001.weights.h5")
    index("double-part", part("double-part", 0), part("double-part", 1))
    index("foreign-part", part("foreign-part", 0, "plain-3.h5"))
    index("many-parts", *[f"many-parts_{number:05}.weights.h5" for number in range(1000)])
    index("nested-index", text='{"weight_map":' * 1000 + "1" + "}" * 1000)
    # A part that is an index again, which names itself.
    index("index-part", "index-part_00000.weights.h5")
    os.replace(place("index-part.weights.json"), place("index-part_00000.weights.h5"))
    index("index-part", "index-part_00000.weights.h5")
    changed_part("external-link-part", external_link)
    changed_part("external-storage-part", external_storage)
    changed_part("huge-shape-part", huge_shape)
    changed_part("deflate-bomb-part", deflate_bomb)
else:
    # A million empty groups where a network has its layers.
    with h5py.File(place("million-groups.weights.h5"), "w", libver="latest") as file:
        plist = h5p.create(h5p.GROUP_CREATE)
        layers = h5py.h5g.create(file.id, b"layers", gcpl=plist)
        for index in range(1_000_000):
            h5py.h5g.create(layers, b"%d" % index)
