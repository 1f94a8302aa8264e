"""What the frozen backbone makes of pictures, by `graft apply`; each picture once, as it is and mirrored."""

import hashlib
import io
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy

import files
import pictures

LAYER = "avg_pool"
AT_A_TIME = 500


class Features:
    """The rows of one image size in a file that only grows, and the pictures' names beside it."""

    def __init__(self, output, graft, backbone, data, size):
        self.graft, self.backbone, self.size = graft, backbone, size
        digest = hashlib.sha256(backbone.read_bytes()).hexdigest()[:8]
        self.path = output / f"features-{data}-{size}-{digest}.npy"
        self.names = self.path.with_suffix(".txt")
        known = self.names.read_text().splitlines() if self.names.exists() else []
        # The names are written last: rows without one are of a run that was stopped between the two.
        self.rows = numpy.load(self.path)[:len(known)] if known else None
        self.places = {name: place for place, name in enumerate(known)}

    def compute(self, paths):
        """Sees to it that the features of these pictures are known."""
        missing = [path for path in dict.fromkeys(paths) if path not in self.places]
        for begin in range(0, len(missing), AT_A_TIME):
            print(f"features of pictures {begin + 1} to {min(begin + AT_A_TIME, len(missing))} of {len(missing)}",
                  file=sys.stderr)
            part = missing[begin:begin + AT_A_TIME]
            plain = numpy.stack([pictures.pixels(path, self.size) for path in part])
            rows = numpy.stack([self.applied(plain), self.applied(plain[:, :, ::-1])], 1)
            self.rows = rows if self.rows is None else numpy.concatenate([self.rows, rows])
            self.places.update({path: len(self.places) + place for place, path in enumerate(part)})
        if missing:
            data = io.BytesIO()
            numpy.save(data, self.rows)
            files.write(self.path, data.getvalue())
            files.write(self.names, "".join(name + "\n" for name in self.places).encode())

    def applied(self, values):
        with tempfile.TemporaryDirectory() as folder:
            model, source, target = [pathlib.Path(folder, name) for name in ("model.h5", "x.npy", "y.npy")]
            self.copy_backbone(model)
            numpy.save(source, numpy.ascontiguousarray(values))
            answer = subprocess.run(
                [self.graft, "apply", model, "--input", source, "--output", target, "--layer", LAYER],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if answer.returncode:
                sys.exit(f"bench-accuracy: {answer.stdout}")
            return numpy.load(target).reshape(len(values), -1)

    def copy_backbone(self, path):
        """The backbone's file, its input of the size of the pictures: no weight depends on it."""
        shutil.copyfile(self.backbone, path)
        with h5py.File(path, "r+") as file:
            model = json.loads(file.attrs["model_config"])
            entrance = model["config"]["layers"][0]["config"]
            entrance["batch_shape"] = [None, self.size, self.size, 3]
            file.attrs["model_config"] = json.dumps(model)

    def of(self, chosen):
        """The features of pictures, [N, 2, channels]: as they are, and mirrored."""
        return self.rows[[self.places[picture.path] for picture in chosen]]
