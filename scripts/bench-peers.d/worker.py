"""One peer with one cell, measured step by step: a line in, the milliseconds of one step out.

    worker.py PEER NETWORK CELL [--batch N] [--precision f32|bf16] [--size N] [--onnx FILE]

Says `ready` with the batch size that it has chosen as soon as it can be asked, and ends with its peak memory as JSON.
"""

import argparse
import json
import os
import resource
import sys
import time

# Without this every activation of PyTorch is faulted in anew; its tuning guide says how to keep memory.
KEPT = {"MALLOC_MMAP_THRESHOLD_": str(8 << 30), "MALLOC_TRIM_THRESHOLD_": str(8 << 30), "MALLOC_TOP_PAD_": str(1 << 30)}


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=["torch", "torch-compiled", "keras", "onnxruntime", "openvino"])
    parser.add_argument("network")
    parser.add_argument("cell")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--onnx")
    return parser.parse_args()


def program(arguments):
    """A function that gives a step for a batch size, and the sizes that are worth trying."""
    if arguments.peer.startswith("torch"):
        import peer_torch

        return peer_torch.program(arguments)
    if arguments.peer == "keras":
        import peer_keras

        return peer_keras.program(arguments)
    import peer_inference

    return peer_inference.program(arguments)


def seconds(step):
    begin = time.perf_counter()
    step()
    return time.perf_counter() - begin


def main():
    arguments = parse()
    if arguments.peer.startswith("torch") and any(os.environ.get(name) != value for name, value in KEPT.items()):
        os.environ.update(KEPT)
        os.execv(sys.executable, [sys.executable, *sys.argv])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    prepare, candidates = program(arguments)
    if arguments.batch:
        candidates = [arguments.batch]
    best = None
    for candidate in candidates:
        step = prepare(candidate)
        step()
        time_of_step = min(seconds(step) for _ in range(2)) if len(candidates) > 1 else 0
        if best is None or time_of_step < best[0]:
            best = (time_of_step, candidate, step)
    step = best[2] if len(candidates) == 1 else prepare(best[1])
    step()
    print("ready", best[1], file=answers, flush=True)
    for _ in sys.stdin:
        print(1e3 * seconds(step), file=answers, flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"peakResidentBytes": peak}), file=answers, flush=True)
    answers.flush()
    os._exit(0)  # some of these libraries take their time to tidy up


main()
