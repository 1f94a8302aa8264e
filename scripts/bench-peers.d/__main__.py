"""Measures Graft and its peers step by step in turn, and writes bench.json and bench.md."""

import argparse
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import cells
import quiet

HERE = pathlib.Path(__file__).parent
TRAINING_PEERS = ["torch", "torch-compiled", "keras"]
INFERENCE_PEERS = ["onnxruntime", "openvino"]
TITLES = {
    "graft": "Graft", "torch": "PyTorch", "torch-compiled": "PyTorch, compiled", "keras": "Keras on TensorFlow",
    "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO",
}


def parse():
    parser = argparse.ArgumentParser(prog="bench-peers", description=__doc__)
    words = lambda text: text.split(",")
    parser.add_argument("--root", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--networks", type=words, default=["resnet50", "mobilenetv2"],
                        help="with commas, of " + ", ".join(cells.NETWORKS))
    parser.add_argument("--cells", type=words, default=[cell.name for cell in cells.CELLS],
                        help="with commas, of " + ", ".join(cell.name for cell in cells.CELLS))
    parser.add_argument("--peers", type=words, default=TRAINING_PEERS + INFERENCE_PEERS,
                        help="with commas, of " + ", ".join(TRAINING_PEERS + INFERENCE_PEERS))
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--size", type=int, default=224, help="height and width of the pictures")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each program in each cell")
    parser.add_argument("--output", type=pathlib.Path, help="folder of the results; runs/bench-peers unless given")
    parser.add_argument("--force", action="store_true", help="measure on a busy machine too")
    return parser.parse_args()


class Program:
    """A program that runs one step for each line that it gets."""

    def __init__(self, name, command, answers_ready, log):
        self.name, self.times, self.report, self.batch = name, [], {}, None
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        if answers_ready:
            self.batch = int(self.answer().split()[1])
        else:
            self.step()  # the first answer comes when everything is set up

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with status {self.process.wait()}")
        return line

    def step(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.answer())

    def turn(self):
        """Some steps, the first of which warms the caches up where steps are short."""
        first = self.step()
        if first > 1000:
            return [first]
        return [self.step() for _ in range(max(2, min(20, int(600 / first))))]

    def close(self):
        self.process.stdin.close()
        self.report = json.loads(self.process.stdout.read())
        self.process.wait()

    def figures(self):
        milliseconds = statistics.median(self.times)
        figures = {
            "program": self.name, "stepMilliseconds": milliseconds, "imagesPerSecond": 1e3 * cells.STEP / milliseconds,
            "steps": len(self.times), "slowestStepMilliseconds": max(self.times),
            "peakResidentBytes": self.report["peakResidentBytes"],
        }
        if self.batch is not None:
            figures["batch"] = self.batch
        for name in ["limitMilliseconds", "microBatchSize", "arenaBytes", "planMilliseconds"]:
            if name in self.report:
                figures[name] = self.report[name]
        return figures


def graft_command(arguments, network, cell):
    command = [arguments.root / ".build/release/graft", "bench", network, "--train", cell.train, "--in-turns", "--json",
               "--batch-size", cells.STEP, "--image-size", arguments.size, "--precision", arguments.precision]
    return command + (["--batch-norm", "training"] if cell.training_statistics else [])


def peer_command(arguments, peer, network, cell, onnx):
    command = [sys.executable, HERE / "worker.py", peer, network, cell.name, "--precision", arguments.precision,
               "--size", arguments.size]
    return command + (["--onnx", onnx] if peer in INFERENCE_PEERS else [])


def measure(arguments, network, cell, onnx, log):
    """All programs of one cell in turn."""
    programs = [Program("graft", graft_command(arguments, network, cell), False, log)]
    skipped = {}
    for peer in arguments.peers:
        if (peer in INFERENCE_PEERS and (cell.train != "none" or onnx is None)) or (
                peer.startswith("torch") and network not in ("resnet50", "mobilenetv2")):
            continue
        command = peer_command(arguments, peer, network, cell, onnx)
        if peer == "torch-compiled":
            # Each size is compiled for a minute: it gets the one that was best for PyTorch as it is.
            eager = [program for program in programs if program.name == "torch"]
            command += ["--batch", eager[0].batch if eager else cells.STEP]
        try:
            programs.append(Program(peer, command, True, log))
        except (RuntimeError, ValueError) as error:
            skipped[peer] = str(error)
            print(f"  {TITLES[peer]}: {error}", file=sys.stderr)
    disturbed = 0
    for _ in range(arguments.rounds):
        for program in programs:
            for attempt in range(4):
                time.sleep(0.3)
                with quiet.Watch(program.process.pid) as watch:
                    times = program.turn()
                if arguments.force or not watch.was_disturbed:
                    break
                disturbed += 1
            else:
                sys.exit(f"bench-peers: something else uses the processor ({watch.foreign_share:.0%} of it): no figures")
            program.times += times
    for program in programs:
        program.close()
    graft, *peers = [program.figures() for program in programs]
    best = max(peers, key=lambda figures: figures["imagesPerSecond"], default=None)
    result = {"network": network, "cell": cell.name, "graft": graft, "peers": peers, "disturbedTurns": disturbed}
    if best:
        result["best"] = best["program"]
        result["ratio"] = graft["imagesPerSecond"] / best["imagesPerSecond"]
    if skipped:
        result["skipped"] = skipped
    return result


def rate(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def table(document):
    present = [name for name in TITLES if any(
        figures["program"] == name for result in document["results"] for figures in [result["graft"], *result["peers"]])]
    head = ["network", "what trains", *(TITLES[name] for name in present), "Graft to the best", "step to the limit",
            "peak memory, Graft", "PyTorch"]
    lines = ["| " + " | ".join(head) + " |", "| --- | --- |" + " --- |" * (len(head) - 2)]
    for result in document["results"]:
        found = {figures["program"]: figures for figures in [result["graft"], *result["peers"]]}
        graft = result["graft"]
        memory = lambda name: f"{found[name]['peakResidentBytes'] / 1e6:.0f} MB" if name in found else ""
        lines.append("| " + " | ".join([
            cells.NETWORKS[result["network"]], cells.cell_named(result["cell"]).title,
            *(rate(found[name]["imagesPerSecond"]) if name in found else "" for name in present),
            f"**{result['ratio']:.2f}**" if "ratio" in result else "",
            f"{graft['stepMilliseconds'] / graft['limitMilliseconds']:.2f}", memory("graft"), memory("torch"),
        ]) + " |")
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    return "\n".join([
        f"Images per second, {document['date']}, {document['processor']}, {document['threads']} threads, "
        f"{document['precision']}, steps of {cells.STEP} pictures of {document['size']} by {document['size']}; {versions}.",
        "", *lines, ""])


def processor():
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def versions(arguments):
    names = {"torch": ["torch"], "torch-compiled": ["torch"], "keras": ["tensorflow_cpu", "keras"],
             "onnxruntime": ["onnxruntime"], "openvino": ["openvino"]}
    found = {}
    for peer in arguments.peers:
        for name in names[peer]:
            found[name] = importlib.metadata.version(name)
    return found


def write(path, text):
    """Whole or not at all."""
    draft = path.with_name(path.name + ".partial")
    draft.write_text(text)
    draft.replace(path)


def main():
    arguments = parse()
    known = {"networks": cells.NETWORKS, "cells": [cell.name for cell in cells.CELLS],
             "peers": TRAINING_PEERS + INFERENCE_PEERS}
    for option, names in known.items():
        for name in getattr(arguments, option):
            if name not in names:
                sys.exit(f"bench-peers: --{option} has no {name}: expected some of {', '.join(names)}")
    if not arguments.force and (share := quiet.busy_share()) > quiet.LIMIT:
        sys.exit(f"bench-peers: the machine is busy, {share:.0%} of its processor is in use: no figures")
    output = arguments.output or arguments.root / "runs/bench-peers"
    output.mkdir(parents=True, exist_ok=True)
    document = {
        "date": datetime.date.today().isoformat(), "processor": processor(), "threads": os.cpu_count(),
        "precision": arguments.precision, "size": arguments.size, "batchSize": cells.STEP,
        "versions": versions(arguments), "results": []}
    with tempfile.TemporaryDirectory() as work, open(output / "bench.log", "w") as log:
        for network in arguments.networks:
            onnx = None
            if "inference" in arguments.cells and network in ("resnet50", "mobilenetv2") and any(
                    peer in INFERENCE_PEERS for peer in arguments.peers):
                onnx = pathlib.Path(work) / f"{network}.onnx"
                subprocess.run(
                    [sys.executable, "-c", "import sys, peer_torch; peer_torch.export(*sys.argv[1:2], int(sys.argv[2]), "
                     "sys.argv[3])", network, str(arguments.size), str(onnx)],
                    check=True, cwd=HERE, stdout=log, stderr=log)
            for cell in cells.CELLS:
                if cell.name not in arguments.cells:
                    continue
                result = measure(arguments, network, cell, onnx, log)
                document["results"].append(result)
                rates = ", ".join(f"{TITLES[figures['program']]} {rate(figures['imagesPerSecond'])}"
                                  for figures in [result["graft"], *result["peers"]])
                ratio = f"; ratio {result['ratio']:.2f}" if "ratio" in result else ""
                print(f"{cells.NETWORKS[network]}, {cell.title}: {rates}{ratio}", file=sys.stderr)
                write(output / "bench.json", json.dumps(document, indent=2) + "\n")
                write(output / "bench.md", table(document))
    print((output / "bench.md").read_text(), end="")


main()
