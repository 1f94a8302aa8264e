"""Files that are written whole or not at all."""

import os


def write(path, data):
    draft = path.with_name(path.name + ".partial")
    with open(draft, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
