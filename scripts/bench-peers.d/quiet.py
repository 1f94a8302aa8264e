"""Whether something else uses the processor."""

import os
import pathlib
import time

LIMIT = 0.08  # of all processors' time


def _ticks():
    """The time that all processors together have worked or been kept from working, in ticks; nil where unknown."""
    try:
        fields = [int(word) for word in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    except OSError:
        return None
    user, nice, system, idle, waiting, interrupt, soft, stolen = fields
    return user + nice + system + interrupt + soft + stolen


def _ticks_of(process):
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def busy_share(seconds=3):
    """How much of the processors is in use while nothing is measured."""
    begin = _ticks()
    if begin is None:
        return os.getloadavg()[0] / os.cpu_count()
    time.sleep(seconds)
    return (_ticks() - begin) / (seconds * os.sysconf("SC_CLK_TCK") * os.cpu_count())


class Watch:
    """Watches what all but one process do meanwhile."""

    def __init__(self, process):
        self.process = process
        self.foreign_share = 0.0

    def __enter__(self):
        self.begin, self.all = time.perf_counter(), _ticks()
        self.own = _ticks_of(self.process) if self.all is not None else 0
        return self

    def __exit__(self, *_):
        if self.all is None:
            return
        foreign = (_ticks() - self.all) - (_ticks_of(self.process) - self.own)
        duration = time.perf_counter() - self.begin
        self.foreign_share = foreign / (duration * os.sysconf("SC_CLK_TCK") * os.cpu_count())

    @property
    def was_disturbed(self):
        return self.foreign_share > LIMIT
