"""What is about the engine alone, by the examples of its crates."""

import re
import shutil

from lib import run
from lib.report import Result


def numbers(pattern, text):
    """The figures of a line that an example printed."""
    found = re.search(pattern, text)
    if not found:
        raise RuntimeError(f"no line like {pattern!r} in:\n{text[-2000:]}")
    return [float(one) for one in found.groups()]


def pauses(bench):
    """P8 and creation: the pause of CreateSnapshot, and what making a volume costs, by volume_bench."""
    program = bench.example("volume_bench")
    pause = Result("P8", "pause of CreateSnapshot, two writers", "the engine alone: `volume_bench`, without NBD or API")
    creation = Result("creation", "volumes of snapshots of 2 GiB and of 15 TiB", "the engine alone: `volume_bench`")
    text, found = run.timed([program, bench.scratch]).output, {}
    spread = r"([\d.]+) ms \(([\d.]+)–([\d.]+)\)"
    for gib in (1, 1024):
        found[f"p99, {gib} GiB"] = numbers(f"freeze {gib} GiB under 2 writers: .*p99 {spread}", text)
    for gib in (2, 15 << 10):
        both = numbers(f"volume of a snapshot of {gib} GiB: create {spread}, first read {spread}", text)
        found[f"create, {gib} GiB"], found[f"first read, {gib} GiB"] = both[:3], both[3:]
    for name, values in found.items():
        (pause if name.startswith("p99") else creation).add(name, "ms", values)
    for gib in (1, 1024):
        pause.limit(f"p99 of {gib} GiB, in ms", f"p99, {gib} GiB", at_most=10)
    pause.ratio("p99, 1 TiB ÷ 1 GiB", "p99, 1024 GiB", "p99, 1 GiB", at_most=1.5)
    for gib in (2, 15 << 10):
        creation.limit(f"create of {gib} GiB, in ms", f"create, {gib} GiB", at_most=50)
    for result in (pause, creation):
        result.ran("volume_bench DIRECTORY")
        result.note("one run of the program, which has five rounds of its own that take turns, whatever `--rounds` says: their "
                    "median, lowest and highest; the spread of a ratio is that of these three")
    return [pause, creation]


def ingest(bench):
    """ingest: how fast one thread stores new blocks, beside SHA-256 and zstd 1 alone."""
    result = Result("ingest", "new blocks on one thread, beside the floor", "the engine alone: `ingest`, whose data compresses about 3 to 1")
    found = {}
    for _ in range(bench.rounds):
        text = run.timed([bench.example("ingest"), str(bench.scale.ingest_mib), bench.scratch / "ingest"]).output
        for name, start in (("floor", r"floor \(SHA-256, zstd 1\)"), ("put_many and sync", "put_many and sync")):
            cpu, wall = numbers(start + r" +([\d.]+) MiB/s of processor time, +([\d.]+) MiB/s of wall time", text)
            found.setdefault(f"{name}, processor time", []).append(cpu)
            found.setdefault(f"{name}, wall time", []).append(wall)
        shutil.rmtree(bench.scratch / "ingest", ignore_errors=True)
    for name, values in found.items():
        result.add(name, "MiB/s", values)
    result.ratio("processor time: floor ÷ store", "floor, processor time", "put_many and sync, processor time", at_most=1.3)
    result.limit("MiB/s a core", "put_many and sync, processor time", at_least=500)
    result.ran(f"ingest {bench.scale.ingest_mib}")
    return [result]


def prepare(bench, blobs):
    """An index of so many blobs in packs of 64, half of them dead; collections work on copies of it."""
    directory = bench.scratch / f"blobs-{blobs}"
    run.timed([bench.example("collect_scale"), directory, str(blobs), "prepare"])
    return directory


def collect(bench, prepared, blobs):
    """Two passes of collect_scale: one condemns, one deletes. Seconds of both, and memory in MiB."""
    directory = bench.scratch / "collect"
    shutil.copytree(prepared, directory)
    run.settle()
    text = run.timed([bench.example("collect_scale"), directory, str(blobs), "collect"]).output
    shutil.rmtree(directory)
    passes = [line for line in text.splitlines() if line.startswith("mark ")]
    if len(passes) != 2:
        raise RuntimeError(f"collect_scale printed no two passes:\n{text}")
    deleted = numbers(r"; \d+ packs condemned, (\d+) deleted", passes[1])[0]
    if deleted < blobs // 128:
        raise RuntimeError(f"collect_scale deleted {deleted:.0f} packs of {blobs // 128}:\n{text}")
    steps = r"(?:mark|plan|carry out) ([\d.]+(?:ms|µs|s))"
    return {"collect s": sum(duration(step) for line in passes for step in re.findall(steps, line)),
            "mark s": duration(re.findall(steps, passes[0])[0]),
            "mark MiB": numbers(r"blobs/s, (\d+) MiB at most", passes[0])[0],
            "most MiB": numbers(r"(\d+) MiB at most$", passes[1])[0]}


def duration(text):
    """Seconds of what Rust prints for a duration."""
    number, unit = re.fullmatch(r"([\d.]+)(ms|µs|s)", text).groups()
    return float(number) * {"s": 1, "ms": 1e-3, "µs": 1e-6}[unit]


def marking(bench):
    """marking: what a collection of many blobs takes, and how that grows with their number."""
    result = Result("marking", "memory of a collection", "the engine alone: `collect_scale`, real index nodes and rows, no blocks")
    for blobs in bench.scale.marked_blobs:
        free = shutil.disk_usage(bench.scratch).free
        if free < 1200 * blobs:
            result.note(f"{blobs} blobs: not measured: it takes some {1200 * blobs >> 30} GiB of disk, and {free >> 30} are free")
            continue
        prepared = prepare(bench, blobs)
        # What takes ten minutes is measured once.
        rounds = bench.rounds if blobs <= 1_100_000 else 1
        figures = run.interleave(rounds, {"cairn": lambda _: collect(bench, prepared, blobs)}, f"marking {blobs}")["cairn"]
        for name, unit in (("mark MiB", "MiB"), ("most MiB", "MiB"), ("mark s", "s"), ("collect s", "s")):
            result.add(f"{blobs} blobs, {name.rsplit(' ', 1)[0]} ({unit})", unit, figures[name])
        shutil.rmtree(prepared)
    largest = max((int(name.split()[0]) for name in result.series), default=None)
    if largest is None:
        result.skipped = "too little disk for any of the sizes"
        return [result]
    result.limit(f"memory at {largest} blobs, in MiB", f"{largest} blobs, most (MiB)", at_most=256,
                 meant="" if largest >= 20_000_000 else "for 20 million")
    result.ran("collect_scale DIR BLOBS prepare; collect_scale COPY BLOBS collect")
    result.note("half of the blobs are dead; `mark` is the first pass's, `collect` two passes with deletion; memory is VmHWM")
    result.note("the goal is for 20 million blobs: only `--scale full` measures that, in one round")
    return [result]


ROWS = {("P8", "creation"): pauses, ("ingest",): ingest, ("marking",): marking}
