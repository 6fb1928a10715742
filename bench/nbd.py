#!/usr/bin/env python3
"""Measures NBD servers against each other with fio.

    bench/nbd.py [--target NAME=COMMAND ...] [--rounds 5] [--seconds 5] [--size 1G]
                 [--dir DIR] [--workloads A,B] [--json FILE] [--markdown FILE]

Every server serves a raw image of its own, filled with data that does not
compress, in the same directory, through the page cache. Rounds are interleaved: each workload
runs once on every server before the next round begins, and every second round runs the
servers in the opposite order, so that a machine which is busy for a while is busy for all.
Reported is the median of the rounds, with the lowest and the highest.

nbdkit's file plugin and qemu-nbd are always there. A further target is a command line, in which
`{socket}` and `{disk}` stand for the path of the Unix socket that it is to make and of its image:

    --target 'cairn=target/release/examples/nbd_serve --unix {socket} --file {disk}'

A target that keeps its data elsewhere leaves `{disk}` out; it is filled over NBD first.
A target is stopped by SIGTERM. Its standard input stays open as long as it is to run.

Needs fio with its nbd engine, nbdkit, qemu-nbd, nbdcopy and nbdinfo in PATH.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import select
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

REFERENCES = {
    "nbdkit": "nbdkit --foreground --unix {socket} file {disk}",
    "qemu-nbd": "qemu-nbd --persistent --shared=0 --format=raw --cache=writeback --discard=unmap --socket={socket} {disk}",
}

# Name: (options of fio, what is compared, its unit).
WORKLOADS = {
    "randread-4k-qd1": (["--rw=randread", "--bs=4k", "--iodepth=1"], "iops"),
    "randread-4k-qd16": (["--rw=randread", "--bs=4k", "--iodepth=16"], "iops"),
    "randwrite-4k-qd1": (["--rw=randwrite", "--bs=4k", "--iodepth=1"], "iops"),
    "randwrite-4k-qd16": (["--rw=randwrite", "--bs=4k", "--iodepth=16"], "iops"),
    "read-256k-qd4": (["--rw=read", "--bs=256k", "--iodepth=4"], "MiB/s"),
    "write-256k-qd4": (["--rw=write", "--bs=256k", "--iodepth=4"], "MiB/s"),
    "randwrite-4k-flush1": (["--rw=randwrite", "--bs=4k", "--iodepth=1", "--fsync=1"], "iops"),
    "randwrite-4k-flush32": (["--rw=randwrite", "--bs=4k", "--iodepth=1", "--fsync=32"], "iops"),
}

PATIENCE_S = 60


class Target:
    """A server under test: a process, a socket and an image."""

    def __init__(self, name, command, directory):
        self.name = name
        self.command = command
        self.socket = directory / f"{name}.sock"
        self.disk = directory / f"{name}.raw"
        self.process = None

    @property
    def uri(self):
        return f"nbd+unix:///?socket={self.socket}"

    def start(self):
        words = [word.format(socket=self.socket, disk=self.disk) for word in shlex.split(self.command)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        deadline = datetime.datetime.now() + datetime.timedelta(seconds=PATIENCE_S)
        while not self.answers():
            if self.process.poll() is not None:
                sys.exit(f"{self.name} ended with status {self.process.returncode}: {shlex.join(words)}")
            if datetime.datetime.now() > deadline:
                sys.exit(f"{self.name} does not answer: {shlex.join(words)}")
            select.select([], [], [], 0.05)

    def answers(self):
        probe = subprocess.run(["nbdinfo", "--size", self.uri], capture_output=True)
        return probe.returncode == 0

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()


def fill(path, size):
    """Writes data that does not compress, so that no server reads holes."""
    block = os.urandom(1 << 20)
    with open(path, "wb") as disk:
        for start in range(0, size, len(block)):
            disk.write(block[: size - start])


def cpu_pressure():
    """Share of the last ten seconds, in percent, in which something runnable waited for a CPU."""
    try:
        some = pathlib.Path("/proc/pressure/cpu").read_text().split()
    except OSError:
        return None
    return float(next(word for word in some if word.startswith("avg10=")).removeprefix("avg10="))


def measure(target, workload, size, seconds):
    """One run: the figure, and what fio says of the latency."""
    options, unit = WORKLOADS[workload]
    command = [
        "fio", "--name=bench", "--ioengine=nbd", f"--uri={target.uri}", f"--size={size}", f"--runtime={seconds}",
        "--time_based", "--randrepeat=1", "--norandommap", "--output-format=json", *options,
    ]
    with tempfile.TemporaryDirectory() as scratch:
        run = subprocess.run(command, capture_output=True, text=True, cwd=scratch)
    if run.returncode != 0:
        sys.exit(f"{shlex.join(command)}: status {run.returncode}\n{run.stdout}{run.stderr}")
    job = json.loads(run.stdout[run.stdout.index("{"):])["jobs"][0]
    if job["error"] != 0:
        sys.exit(f"{shlex.join(command)}: error {job['error']}")
    side = job["read"] if "read" in workload.split("-")[0] else job["write"]
    figure = side["iops"] if unit == "iops" else side["bw_bytes"] / (1 << 20)
    percentiles = side["clat_ns"].get("percentile", {})
    return {"figure": figure, "p50_us": percentiles.get("50.000000", 0) / 1e3, "p99_us": percentiles.get("99.000000", 0) / 1e3,
            "cpu_pressure": cpu_pressure(), "load": os.getloadavg()[0]}


def collect(targets, workloads, arguments, size):
    """Runs everything, round by round."""
    results = {workload: {target.name: [] for target in targets} for workload in workloads}
    for round_number in range(arguments.rounds):
        order = targets if round_number % 2 == 0 else targets[::-1]
        for workload in workloads:
            for target in order:
                run = measure(target, workload, size, arguments.seconds)
                results[workload][target.name].append(run)
                print(f"round {round_number + 1} {workload} {target.name}: {run['figure']:.0f}", file=sys.stderr)
    return results


def summary(runs):
    figures = [run["figure"] for run in runs]
    return {
        "median": statistics.median(figures),
        "min": min(figures),
        "max": max(figures),
        "p99_us": statistics.median(run["p99_us"] for run in runs),
    }


def table(results, ours, references):
    """A table in Markdown: medians with their spread, and ours as a multiple of each reference."""
    names = ours + references
    ratios = [(mine, reference) for mine in ours for reference in references]
    head = ["workload", *names, *(f"{mine} ÷ {reference}" for mine, reference in ratios)]
    lines = [head, ["---"] * len(head)]
    for workload, by_target in results.items():
        said = {name: summary(by_target[name]) for name in names}
        unit = WORKLOADS[workload][1]
        cells = [f"{said[name]['median']:.0f} ({said[name]['min']:.0f}–{said[name]['max']:.0f})" for name in names]
        quotients = [f"**{said[mine]['median'] / said[reference]['median']:.2f}**" for mine, reference in ratios]
        lines.append([f"{workload} [{unit}]", *cells, *quotients])
    loads = [run["load"] for by_target in results.values() for runs in by_target.values() for run in runs]
    lines_after = f"\n\nLoad average during the runs: {min(loads):.1f}–{max(loads):.1f} on {os.cpu_count()} cores."
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + lines_after


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(), "load": os.getloadavg()}


def parse_size(text):
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    return int(text[:-1]) * units[text[-1].upper()] if text[-1].upper() in units else int(text)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--size", type=parse_size, default=1 << 30)
    parser.add_argument("--dir", type=pathlib.Path, help="where the images lie (default: a temporary directory)")
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--markdown", type=pathlib.Path)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    missing = [tool for tool in ("fio", "nbdkit", "qemu-nbd", "nbdinfo", "nbdcopy") if not shutil.which(tool)]
    if missing:
        sys.exit(f"not in PATH: {', '.join(missing)}")
    ours = dict(text.split("=", 1) for text in arguments.target)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="nbd-bench-", dir=arguments.dir))
    targets = [Target(name, command, directory) for name, command in (ours | REFERENCES).items()]
    before = machine()
    try:
        for target in targets:
            fill(target.disk, arguments.size)
            target.start()
            if "{disk}" not in target.command:
                subprocess.run(["nbdcopy", str(target.disk), target.uri], check=True)
                target.disk.unlink()
        os.sync()
        results = collect(targets, arguments.workloads.split(","), arguments, arguments.size)
    finally:
        for target in targets:
            target.stop()
        shutil.rmtree(directory)
    text = table(results, list(ours), list(REFERENCES))
    print(text)
    if arguments.markdown:
        arguments.markdown.write_text(text + "\n")
    if arguments.json:
        report = {"machine": before, "load_after": os.getloadavg(), "arguments": sys.argv[1:], "results": results}
        arguments.json.write_text(json.dumps(report, indent=1, default=str) + "\n")


if __name__ == "__main__":
    main()
