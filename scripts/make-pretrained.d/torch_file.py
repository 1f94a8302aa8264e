"""Reads the legacy torch file format (before the zip format of torch 1.6) without torch.

Such a file is five pickles in a row (a magic number, a protocol version, facts about the machine, the object, the keys of
its storages) and then, for each key in order, an eight-byte element count and the raw elements. A tensor is a view: a
storage, an offset, a shape, strides. A pickle may call anything, so the reader knows exactly three names and refuses
every other.
"""

import collections
import pickle
import struct
from dataclasses import dataclass

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
STORAGE_TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class TorchFileError(Exception):
    """A file that is not what this reader knows."""


@dataclass
class Storage:
    """Elements that tensors look into; empty until the end of the file is reached."""

    dtype: np.dtype
    count: int
    elements: np.ndarray | None = None


@dataclass
class View:
    """A tensor as the file tells it: strides count elements, not bytes."""

    storage: Storage
    offset: int
    shape: tuple
    strides: tuple

    def array(self):
        """The tensor's elements, copied into row-major order."""
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.strides))
        if min(self.strides, default=0) < 0 or self.offset < 0 or last >= self.storage.count:
            raise TorchFileError(f"a view of shape {self.shape} reaches beyond its {self.storage.count} elements")
        size = self.storage.dtype.itemsize
        strided = np.lib.stride_tricks.as_strided(
            self.storage.elements[self.offset :], self.shape, [s * size for s in self.strides], writeable=False
        )
        return np.ascontiguousarray(strided)


@dataclass(frozen=True)
class StorageType:
    name: str


def rebuild_view(storage, offset, shape, strides, requires_gradient, hooks):
    return View(storage, offset, shape, strides)


class Unpickler(pickle.Unpickler):
    """Knows ordered dictionaries, tensor views and the storage types; every other name ends the reading."""

    def __init__(self, file):
        super().__init__(file, encoding="utf-8")
        self.storages = {}

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return rebuild_view
        if module == "torch" and name in STORAGE_TYPES:
            return StorageType(name)
        raise TorchFileError(f"the file asks for {module}.{name}, which no weight file needs")

    def persistent_load(self, identifier):
        kind, storage_type, key, _, count, view = identifier
        if kind != "storage" or view is not None:
            raise TorchFileError(f"a stored object of kind {kind!r} is not known")
        return self.storages.setdefault(key, Storage(STORAGE_TYPES[storage_type.name], count))


def read_state_dictionary(path):
    """Reads a file that holds one flat dictionary of tensors, as name → row-major array, in the file's order."""
    with open(path, "rb") as file:
        magic, protocol, machine = (Unpickler(file).load() for _ in range(3))
        if magic != MAGIC or protocol != PROTOCOL or not machine["little_endian"]:
            raise TorchFileError(f"{path}: not a legacy torch file of protocol {PROTOCOL} in little-endian order")
        unpickler = Unpickler(file)
        views = unpickler.load()
        for key in Unpickler(file).load():
            storage = unpickler.storages[key]
            (count,) = struct.unpack("<q", file.read(8))
            data = file.read(storage.count * storage.dtype.itemsize)
            if count != storage.count or len(data) != storage.count * storage.dtype.itemsize:
                raise TorchFileError(f"{path}: storage {key} ends early")
            storage.elements = np.frombuffer(data, storage.dtype)
    return {name: view.array() for name, view in views.items()}
