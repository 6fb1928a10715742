"""P1 to P7: what a guest's reads and writes cost, steady, allocating, and while a snapshot is captured."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from lib import data, peers, run
from lib.qmp import StorageDaemon
from lib.report import Result
from lib.server import server

# What a capture stores in a second: QEMU's backup, which compresses nothing, is held to that, and so goes on for as long.
BACKUP_RATE = 200 << 20
VOLUME_DOOR = "`volume_nbd`: a whole server's volume on the NBD socket that a machine gets, without the HTTP API"
DOOR = "`cairn serve`, a volume attached to an instance, its NBD socket"


def steady(bench):
    """P1, P2, P4, P5: reads and writes in the steady state, by bench/nbd.py."""
    run.need("fio", "nbdkit", "qemu-nbd", "nbdcopy", "nbdinfo")
    program = bench.example("volume_nbd")
    plain = bench.example("nbd_serve")
    answer, text = bench.results / "nbd.json", bench.results / "nbd.md"
    gib = max(1, bench.scale.io_mib // 1024)
    subprocess.run([
        sys.executable, bench.root / "bench/nbd.py", "--target", f"cairn={program} {{socket}}.d {{socket}} {gib}",
        "--target", f"cairn-nbd-on-a-file={plain} --unix {{socket}} --file {{disk}}", "--rounds", str(bench.rounds),
        "--seconds", str(bench.scale.seconds), "--size", f"{bench.scale.io_mib}M", "--dir", bench.scratch,
        "--json", answer, "--markdown", text], check=True, stdout=subprocess.DEVNULL)
    found = json.loads(answer.read_text())["results"]
    return [_steady_row(found, *row) for row in (
        ("P1", "4 KiB random I/O against nbdkit", ("randread-4k-qd1", "randread-4k-qd16", "randwrite-4k-qd1", "randwrite-4k-qd16"), "nbdkit", 0.90),
        ("P2", "4 KiB random I/O against qemu-nbd", ("randread-4k-qd1", "randread-4k-qd16", "randwrite-4k-qd1", "randwrite-4k-qd16"), "qemu-nbd", 1.00),
        ("P4", "256 KiB sequential I/O against nbdkit", ("read-256k-qd4", "write-256k-qd4"), "nbdkit", 0.95),
        ("P5", "4 KiB writes with a flush after each, after each 32", ("randwrite-4k-flush1", "randwrite-4k-flush32"), "nbdkit", 0.90))]


def _steady_row(found, row, title, workloads, peer, bound):
    result = Result(row, title, VOLUME_DOOR)
    result.ran("bench/nbd.py --target 'cairn=volume_nbd …' (its table is nbd.md, beside this one)")
    result.versions += peers.version(peer, "fio")
    for workload in workloads:
        unit = "MiB/s" if "256k" in workload else "IOPS"
        for name in ("cairn", peer):
            result.add(f"{workload}, {name}", unit, [one["figure"] for one in found[workload][name]])
        result.ratio(f"{workload}: cairn ÷ {peer}", f"{workload}, cairn", f"{workload}, {peer}", at_least=bound)
    result.note("page cache warm, data that does not compress")
    return result


SYNCS = "fsync,fdatasync,sync_file_range,syncfs,sync,msync,pwritev2"


def syncs(bench):
    """syncs: system calls that make bytes durable, for each FLUSH of a client in the steady state."""
    run.need("fio", "strace", "nbdcopy")
    size, count = bench.scale.io_mib * run.MIB, 2000 * bench.scale.seconds
    work = ("--rw=randwrite", "--bs=4k", "--iodepth=1", "--fsync=1", "--norandommap", f"--number_ios={count}")
    result = Result("syncs", "P5: syncs for each FLUSH, 4 KiB writes with a flush after each", VOLUME_DOOR)
    result.versions += peers.version("fio", "nbdkit")
    image = bench.scratch / "image.raw"
    what = data.image(bench, image, size)
    nbdkit = peers.nbdkit_file(bench, image)
    with _volume_nbd(bench, size) as (own, pid), nbdkit as plain:
        peers.nbdcopy(image, peers.uri(own))
        # The first writes to a region are the journal's; from the second round on they are the steady state.
        peers.fio(own, size, *peers.RANDWRITE, *peers.lasting(bench.scale.seconds))
        run.settle()
        found = run.interleave(bench.rounds, {
            name: lambda _, socket=socket, pid=pid: _syncs_per_flush(bench, pid, socket, size, work)
            for name, socket, pid in (("cairn", own, pid), ("nbdkit", plain, nbdkit.process.pid))}, "syncs")
    for name, figures in found.items():
        result.add(f"{name}, syncs for each FLUSH", "", figures["syncs a flush"])
        result.add(f"{name}, flushes", "", figures["flushes"])
    result.limit("syncs for each FLUSH", "cairn, syncs for each FLUSH", at_most=1.05)
    result.ran(f"strace -f -e trace={SYNCS} -p SERVER; fio {' '.join(work)}")
    result.note(f"data: {what}; of pwritev2 those with RWF_DSYNC or RWF_SYNC count. All of the server's process is counted, its databases too")
    return [result]


def _syncs_per_flush(bench, pid, socket, size, work):
    """One run of fio under strace. A flush follows a write here, so that fewer syncs than flushes are an error."""
    trace = bench.scratch / "trace"
    trace.unlink(missing_ok=True)
    tracer = subprocess.Popen(["strace", "-f", "-e", f"trace={SYNCS}", "-e", "signal=none", "-o", trace, "-p", str(pid)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        # It says so once it has every thread.
        if "attached" not in (said := tracer.stderr.readline()):
            raise run.Unavailable(f"strace cannot attach to a server: {said.strip()}")
        flushes = peers.fio(socket, size, *work)["flushes"]
    finally:
        run.stop(tracer)
        tracer.stderr.close()
    counted = sum(_is_sync(line) for line in trace.read_text().splitlines())
    if not 0 < flushes <= counted:
        raise RuntimeError(f"{counted} syncs for {flushes} flushes: something is not counted, or not synced")
    return {"syncs a flush": counted / flushes, "flushes": flushes}


def _is_sync(line):
    """Whether a line of strace begins a call that syncs; one that was interrupted has a second line."""
    called = line.split(maxsplit=1)[1]
    if called.startswith(("<...", "+++", "---")):
        return False
    return not called.startswith("pwritev2(") or "RWF_DSYNC" in called or "RWF_SYNC" in called


@contextlib.contextmanager
def _volume_nbd(bench, size, *options):
    """A new volume of a server of its own, gone afterwards: its socket, and the server's process."""
    run.need("fio", "nbdcopy")
    with tempfile.TemporaryDirectory(dir=bench.scratch) as directory:
        directory = pathlib.Path(directory)
        socket = directory / "s"
        process = subprocess.Popen([bench.example("volume_nbd"), directory / "d", socket, str(-(-size // run.GIB)), *options],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            if process.stdout.readline().strip() != "ready":
                raise RuntimeError(f"volume_nbd ended with {process.wait()}")
            yield socket, process.pid
        finally:
            process.stdin.close()
            run.stop(process)
            process.stdout.close()


def sealed(bench):
    """sealed: reads and writes of an encrypted volume, against a plain one."""
    run.need("fio", "nbdcopy")
    size = bench.scale.io_mib * run.MIB
    result = Result("sealed", "an encrypted volume beside a plain one", VOLUME_DOOR)
    result.versions += peers.version("fio")
    image = bench.scratch / "image.raw"
    what = data.image(bench, image, size)
    with _volume_nbd(bench, size) as plain, _volume_nbd(bench, size, "encrypted") as encrypted:
        both = {"plain": plain[0], "encrypted": encrypted[0]}
        for socket in both.values():
            peers.nbdcopy(image, peers.uri(socket))
        for workload, (unit, work) in SEALED_WORKLOADS.items():
            run.settle()
            found = run.interleave(bench.rounds, {
                name: lambda _, socket=socket: peers.fio(socket, size, *work, *peers.lasting(bench.scale.seconds))
                for name, socket in both.items()}, workload)
            for name, figures in found.items():
                result.add(f"{workload}, {name}", unit, [one / 4 if unit == "MiB/s" else one for one in figures["iops"]])
            rounds = zip(found["encrypted"]["iops"], found["plain"]["iops"])
            result.add(f"{workload}, encrypted ÷ plain", "", [one / other for one, other in rounds])
    result.ran(f"fio with --bs, --rw and --iodepth as the names say, {bench.scale.seconds} s each")
    result.note(f"data: {what}; page cache warm, AES-256-XTS over sectors of 512 bytes")
    return [result]


SEALED_WORKLOADS = {
    "randread-4k-qd1": ("IOPS", ("--rw=randread", "--bs=4k", "--iodepth=1")),
    "randread-4k-qd16": ("IOPS", ("--rw=randread", "--bs=4k", "--iodepth=16")),
    "randwrite-4k-qd1": ("IOPS", ("--rw=randwrite", "--bs=4k", "--iodepth=1")),
    "randwrite-4k-qd16": ("IOPS", ("--rw=randwrite", "--bs=4k", "--iodepth=16")),
    "read-256k-qd4": ("MiB/s", ("--rw=read", "--bs=256k", "--iodepth=4")),
    "write-256k-qd4": ("MiB/s", ("--rw=write", "--bs=256k", "--iodepth=4")),
}


def allocating(bench):
    """P3: writes to what is not there yet, and over a snapshot, against qcow2."""
    run.need("fio", "qemu-nbd", "qemu-img", "nbdcopy")
    result = Result("P3", "4 KiB random writes that allocate, and over an image", DOOR)
    result.versions += peers.version("qemu-nbd", "fio")
    size = bench.scale.io_mib * run.MIB
    base = bench.scratch / "base.raw"
    what = data.image(bench, base, size)
    # Each place is written once: a second write to it would allocate nothing.
    work = (*peers.RANDWRITE, f"--io_size={size // 4}")
    with server(bench) as own:
        snapshot = own.cairn_json("import", base, "--snapshot-only")["SnapshotId"]

        def cairn(**source):
            def once(_):
                with own.attached(own.api.create_volume(**source)) as (socket,):
                    run.settle()
                    return peers.fio(socket, size, *work)
            return once

        def qcow2(*options):
            def once(_):
                disk = bench.scratch / "disk.qcow2"
                run.timed(["qemu-img", "create", "-q", "-f", "qcow2", *options, disk, str(size)])
                run.settle()
                with peers.qemu_nbd(bench, disk, "qcow2") as socket:
                    found = peers.fio(socket, size, *work)
                disk.unlink()
                return found
            return once

        gib = -(-size // run.GIB)
        found = run.interleave(bench.rounds, {
            "qcow2, empty": qcow2(), "cairn, blank volume": cairn(gib=gib),
            "qcow2 over raw": qcow2("-b", base, "-F", "raw"), "cairn, volume of a snapshot": cairn(snapshot=snapshot)}, "P3")
    for name, figures in found.items():
        result.add(name, "IOPS", figures["iops"])
    result.ratio("allocating: cairn ÷ qcow2", "cairn, blank volume", "qcow2, empty", at_least=1.15)
    result.ratio("overlay: cairn ÷ qcow2 with a backing file", "cairn, volume of a snapshot", "qcow2 over raw", at_least=1.30)
    result.ran(f"fio {' '.join(work)} (each page once), a new disk each round; qemu-nbd --cache=writeback")
    result.note(f"data: {what}; page cache warm. Cairn copies the snapshot's blocks in the background meanwhile")
    return [result]


class Volume:
    """An own volume that is filled with a new image before each round."""

    def __init__(self, bench, own, socket, volume, size):
        self.bench, self.own, self.socket, self.volume, self.size = bench, own, socket, volume, size
        self.image = bench.scratch / "image.raw"
        self.steady = None

    def fill(self, seed):
        """New content everywhere; a snapshot has to store all of it."""
        self.what = data.image(self.bench, self.image, self.size, seed=seed)
        peers.nbdcopy(self.image, peers.uri(self.socket))

    def while_captured(self, round_number):
        """Random writes from the moment that CreateSnapshot has answered."""
        self.fill(1000 + round_number)
        run.settle()
        snapshot = self.own.api.create_snapshot(self.volume)
        found = peers.fio(self.socket, self.size, *peers.RANDWRITE, *peers.lasting(self.bench.scale.capture_seconds))
        found["still captured"] = float(self.own.api.snapshot_state(snapshot) == "pending")
        began = time.monotonic()
        self.own.api.completed(snapshot)
        found["captured after s"] = time.monotonic() - began
        return found

    def at_rest(self, _):
        """The same, when everything is stored and folded."""
        run.settle()
        return peers.fio(self.socket, self.size, *peers.RANDWRITE, *peers.lasting(self.bench.scale.capture_seconds))


@contextlib.contextmanager
def own_volume(bench, own, size):
    volume = own.api.create_volume(gib=-(-size // run.GIB))
    with own.attached(volume) as (socket,):
        yield Volume(bench, own, socket, volume, size)


def _captured_note(result, found):
    pending = found["still captured"]
    result.note(f"the snapshot was still `pending` when the writes ended in {sum(pending):.0f} of {len(pending)} rounds; "
                "in the others a part of the figure is the steady state")


def own_steady_state(bench):
    """P6: writes while a snapshot is captured, against the same volume without one."""
    run.need("fio", "nbdcopy", "qemu-system-x86_64")
    result = Result("P6", "4 KiB random writes while a snapshot is captured", DOOR)
    result.versions += peers.version("fio")
    size = bench.scale.capture_mib * run.MIB
    with server(bench) as own, own_volume(bench, own, size) as volume:
        volume.fill(1)
        own.api.completed(own.api.create_snapshot(volume.volume))
        found = run.interleave(bench.rounds, {"at rest": volume.at_rest, "while captured": volume.while_captured}, "P6")
    for name in ("at rest", "while captured"):
        result.add(f"{name}, IOPS", "IOPS", found[name]["iops"])
        result.add(f"{name}, p99", "ms", found[name]["p99 ms"])
    result.ratio("IOPS, captured ÷ at rest", "while captured, IOPS", "at rest, IOPS", at_least=0.80)
    result.ratio("p99, captured ÷ at rest", "while captured, p99", "at rest, p99", at_most=2.0)
    result.ran(f"fio {' '.join(peers.RANDWRITE)} for {bench.scale.capture_seconds} s from the answer of CreateSnapshot on")
    result.note(f"data: {volume.what}, all of it new to each snapshot; fio, the guest's writes and the capture share {os.cpu_count()} cores")
    _captured_note(result, found["while captured"])
    return [result]


def other_mechanisms(bench):
    """P7: the same writes under other ways to freeze a disk."""
    run.need("fio", "nbdcopy", "nbdkit", "qemu-nbd", "qemu-img", "qemu-storage-daemon", "restic", "qemu-system-x86_64")
    result = Result("P7", "the same under other ways to freeze a disk", DOOR)
    result.versions += [*peers.version("qemu-storage-daemon", "qemu-nbd", "nbdkit"), peers.Restic.version()]
    size = bench.scale.capture_mib * run.MIB
    frozen = bench.scratch / "frozen.raw"
    data.image(bench, frozen, size, seed=7)
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(server(bench))
        volume = stack.enter_context(own_volume(bench, own, size))
        contenders = {"qemu backup (copy before write)": lambda _: _copy_before_write(bench, frozen, size),
                      "qcow2 overlay": lambda _: _overlay(bench, frozen, size, False),
                      "qcow2 overlay, restic uploads": lambda _: _overlay(bench, frozen, size, True)}
        try:
            xfs = stack.enter_context(_xfs(bench, size))
            contenders["XFS reflink, restic uploads"] = lambda _: _reflink(bench, xfs, frozen, size)
        except run.Unavailable as reason:
            result.note(f"XFS reflink: not measured: {reason}")
        contenders["cairn"] = volume.while_captured
        found = run.interleave(bench.rounds, contenders, "P7")
    for name, figures in found.items():
        result.add(name, "IOPS", figures["iops"])
    for peer, bound in (("qemu backup (copy before write)", 5.0), ("qcow2 overlay, restic uploads", 1.0), ("XFS reflink, restic uploads", 1.0)):
        if peer in found:
            result.ratio(f"cairn ÷ {peer}", "cairn", peer, at_least=bound)
    result.ran(f"fio {' '.join(peers.RANDWRITE)} for {bench.scale.capture_seconds} s from the freeze on")
    result.note("overlay and reflink freeze at once, and copy nothing away: restic stores the frozen image meanwhile, as Cairn does. "
                "The overlay alone, with nothing stored, is shown beside them")
    result.note("LVM-thin: not measured: the kernel here has no device mapper")
    result.note("QEMU's backup is held to 200 MiB/s, about what a capture stores, so that it goes on meanwhile; it was still going on in "
                f"{sum(found['qemu backup (copy before write)']['still captured']):.0f} of {bench.rounds} rounds")
    _captured_note(result, found["cairn"])
    return [result]


def _writes(bench, socket, size):
    return peers.fio(socket, size, *peers.RANDWRITE, *peers.lasting(bench.scale.capture_seconds))


def _copy_before_write(bench, frozen, size):
    disk, target = bench.scratch / "cbw.raw", bench.scratch / "cbw-target.raw"
    shutil.copyfile(frozen, disk)
    with open(target, "wb") as file:
        file.truncate(size)
    run.settle()
    with StorageDaemon(disk, target, bench.scratch) as daemon:
        daemon.begin_backup(BACKUP_RATE)
        found = _writes(bench, daemon.socket, size)
        found["still captured"] = float(daemon.backing_up())
    disk.unlink()
    target.unlink()
    return found


@contextlib.contextmanager
def _upload(bench, path, wanted):
    """restic storing an image meanwhile; killed when the writes are over."""
    if not wanted:
        yield
        return
    archive = peers.Restic(bench, "restic").again()
    process = subprocess.Popen(["restic", "--quiet", "--repo", archive.repository, "backup", path], env=archive.environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()
        archive.remove()


def _overlay(bench, frozen, size, uploaded):
    disk = bench.scratch / "overlay.qcow2"
    run.timed(["qemu-img", "create", "-q", "-f", "qcow2", "-b", frozen, "-F", "raw", disk])
    run.settle()
    with peers.qemu_nbd(bench, disk, "qcow2") as socket, _upload(bench, frozen, uploaded):
        found = _writes(bench, socket, size)
    disk.unlink()
    return found


@contextlib.contextmanager
def _xfs(bench, size):
    """XFS in a file on the same file system, mounted by a loop device."""
    run.need("mkfs.xfs", "mount")
    if os.geteuid() != 0:
        raise run.Unavailable("mounting takes root")
    container, place = bench.scratch / "xfs.img", bench.scratch / "xfs"
    with open(container, "wb") as file:
        file.truncate(max(4 * size, run.GIB))
    place.mkdir()
    run.timed(["mkfs.xfs", "-q", "-m", "reflink=1", container])
    mounted = subprocess.run(["mount", "-o", "loop", container, place], capture_output=True, text=True)
    if mounted.returncode:
        raise run.Unavailable(f"the loop file cannot be mounted: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)
        container.unlink()


def _reflink(bench, place, frozen, size):
    disk, copy = place / "disk.raw", place / "copy.raw"
    shutil.copyfile(frozen, disk)
    run.settle()
    with peers.nbdkit_file(bench, disk) as socket:
        run.timed(["cp", "--reflink=always", disk, copy])
        with _upload(bench, copy, True):
            found = _writes(bench, socket, size)
    disk.unlink()
    copy.unlink()
    return found


ROWS = {("P1", "P2", "P4", "P5"): steady, ("syncs",): syncs, ("sealed",): sealed, ("P3",): allocating, ("P6",): own_steady_state, ("P7",): other_mechanisms}
