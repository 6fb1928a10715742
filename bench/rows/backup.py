"""P9, P10, P14 to P16 and scrub: what backup programs do as well."""

import contextlib
import hashlib
import random
import shutil
import sys
import time

from lib import data, peers, run
from lib.nbd_client import Nbd
from lib.report import Result
from lib.server import server
from rows import engine

DOOR = "`cairn serve`"

# P10: how the bytes that change lie, and the share of them that lies in scattered pages.
PATTERNS = {"in stretches": 0, "half in scattered pages": 0.5}


def left_out(result, missing):
    """Says which peers are not there."""
    for name in missing:
        result.note(f"{name}: not measured: it is not installed (`scripts/setup.sh bench`)")


def first(bench):
    """P9: the first snapshot of an image, against backup programs."""
    there, missing = peers.archives(bench, "restic", "borg", "casync")
    run.need("zstd", "qemu-system-x86_64")
    result = Result("P9", "first snapshot of an image", "`cairn import FILE --snapshot-only` to `cairn serve`; and `CreateSnapshot` of an attached volume")
    result.versions += [archive.version() for archive in there.values()] + [run.first_line("zstd", "--version").strip("* ")]
    sizes = [(mib, None) for mib in bench.scale.first_mib]
    if bench.guest:
        sizes.append((bench.scale.first_mib[0], "mixture"))
    image = bench.scratch / "image.raw"
    for mib, kind in sizes:
        what = data.image(bench, image, mib * run.MIB, kind)
        label = f"{mib} MiB" + (" mixture" if kind else "")
        result.note(f"{label}: {what}; page cache warm")
        contenders = {name: lambda _, archive=archive: _backup(archive, image, mib) for name, archive in there.items()}
        contenders["cairn import"] = lambda _: _import(bench, image, mib)
        contenders["cairn CreateSnapshot"] = lambda _: _create(bench, image, mib)
        contenders["floor"] = lambda _: _floor(image, mib)
        for name, figures in run.interleave(bench.rounds, contenders, f"P9 {label}").items():
            units = {"wall s": "s", "CPU s/GiB": "s/GiB", "stored ÷ plain": ""}
            for figure, values in figures.items():
                result.add(f"{label}, {name}, {figure}", units[figure], values)
    largest = f"{bench.scale.first_mib[-1]} MiB"
    for name, bound in (("restic", 3), ("borg", 3), ("casync", 8)):
        if name in there:
            result.ratio(f"{largest}: wall, {name} ÷ cairn import", f"{largest}, {name}, wall s", f"{largest}, cairn import, wall s", at_least=bound, meant="for 10 GiB")
    for door in ("cairn import", "cairn CreateSnapshot"):
        result.ratio(f"{largest}: processor time, {door} ÷ floor", f"{largest}, {door}, CPU s/GiB", f"{largest}, floor, CPU s/GiB", at_most=1.3)
    result.ran("restic init --repository-version 2; restic backup FILE")
    result.ran("borg init --encryption none; borg create --chunker-params fixed,524288 --compression zstd,1 --files-cache disabled REPO::1 FILE")
    result.ran("casync make --store=STORE IMAGE.caibx FILE")
    result.note("the floor is the processor time of SHA-256 (OpenSSL, blocks of 512 KiB) and of `zstd -1 --single-thread` of the same image; it has no AES-GCM, since these packs are not encrypted; restic encrypts")
    result.note("desync: not measured: Debian has no package of it")
    result.note("Cairn syncs before it answers; restic and borg sync their packs, casync does not")
    left_out(result, missing)
    return [result]


def _figures(spent, stored, mib):
    return {"wall s": spent.wall_s, "CPU s/GiB": spent.cpu_s / mib * 1024, "stored ÷ plain": stored / mib / run.MIB}


def _backup(archive, image, mib):
    archive.again()
    run.settle()
    spent = archive.backup(image)
    figures = _figures(spent, archive.stored(), mib)
    archive.remove()
    return figures


def _import(bench, image, mib):
    """Into a new server; processor time is the client's and the server's."""
    with server(bench) as own:
        empty = cairn_stored(own)
        run.settle()
        before = run.cpu_seconds(own.pid)
        spent = own.cairn("import", image, "--snapshot-only")
        spent.cpu_s += run.cpu_seconds(own.pid) - before
        return _figures(spent, cairn_stored(own) - empty, mib)


def _create(bench, image, mib):
    """A volume that was filled over NBD; measured is CreateSnapshot until it is completed."""
    with server(bench) as own:
        volume = own.api.create_volume(gib=-(-mib // 1024))
        with own.attached(volume) as (socket,):
            peers.nbdcopy(image, peers.uri(socket))
            run.settle()
            before = cairn_stored(own, volume)
            spent = _captured(own, volume)
            return _figures(spent, cairn_stored(own, volume) - before, mib)


def _captured(own, volume):
    """What a snapshot of a volume takes until it is completed."""
    before, began = run.cpu_seconds(own.pid), time.monotonic()
    own.api.completed(own.api.create_snapshot(volume), every=0.005)
    return run.Spent(time.monotonic() - began, run.cpu_seconds(own.pid) - before, 0, "")


def _floor(image, mib):
    """SHA-256 and zstd 1 of the image, each alone on one thread."""
    began = time.process_time()
    with open(image, "rb") as file:
        while block := file.read(data.BLOCK):
            hashlib.sha256(block).digest()
    hashed = time.process_time() - began
    packed = run.timed(["zstd", "-q", "-1", "--single-thread", "-f", image, "-o", "/dev/null"]).cpu_s
    cpu = hashed + packed
    return {"CPU s/GiB": cpu / mib * 1024}


class ChangedDisk:
    """One disk in two shapes: a raw file that archives read, and a volume of Cairn's, changed alike."""

    def __init__(self, path, socket, seed):
        self.path, self.socket = path, socket
        self.rng, self.source = random.Random(seed), data.Mixture(seed)

    def change(self, share, in_pages=0.5):
        size = self.path.stat().st_size
        pieces = data.changes(self.rng, self.source, size, share, in_pages)
        with open(self.path, "r+b") as file, Nbd(self.socket) as nbd:
            for offset, content in pieces:
                file.seek(offset)
                file.write(content)
                nbd.write(offset, content)
            nbd.flush()
        return len({offset // data.BLOCK for offset, _ in pieces})


def incremental(bench):
    """P10: a snapshot of a disk of which one percent changed."""
    there, missing = peers.archives(bench, "restic", "borg")
    run.need("nbdcopy", "qemu-system-x86_64")
    result = Result("P10", "incremental snapshot", f"{DOOR}, `CreateSnapshot` of an attached volume until `completed`")
    result.versions += [archive.version() for archive in there.values()]
    for mib in bench.scale.dense_mib:
        _incremental_dense(bench, result, there, mib)
    _incremental_sparse(bench, result)
    largest = bench.scale.dense_mib[-1]
    for pattern in PATTERNS:
        for name in there:
            result.ratio(f"{largest} MiB, 1 % changed {pattern}: {name} ÷ cairn", f"{largest} MiB {pattern}, {name}",
                         f"{largest} MiB {pattern}, cairn", at_least=20, meant="for 100 GiB")
    low, high = bench.scale.sparse_gib[0], bench.scale.sparse_gib[-1]
    count = bench.scale.sparse_changes[-1]
    result.ratio(f"{count} blocks changed: {high} GiB ÷ {low} GiB", f"{count} blocks of {high} GiB", f"{count} blocks of {low} GiB", at_most=1.3)
    result.ran("restic backup FILE; borg create --chunker-params fixed,524288 --files-cache disabled REPO::N FILE")
    result.note("the changes are written before the clock starts, to the file and to the volume alike; the archives read the whole "
                "file each time, so that their time grows with the disk, Cairn's with the blocks of 512 KiB that hold a change; the goal's "
                "100 GiB are not measured with the archives, for the time that takes: compare the growth of the two columns")
    left_out(result, missing)
    return [result]


def _incremental_dense(bench, result, there, mib):
    image = bench.scratch / "image.raw"
    what = data.image(bench, image, mib * run.MIB)
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(server(bench))
        volume = own.api.create_volume(gib=-(-mib // 1024))
        socket, = stack.enter_context(own.attached(volume))
        peers.nbdcopy(image, peers.uri(socket))
        _captured(own, volume)
        for archive in there.values():
            archive.again().backup(image)
        disk = ChangedDisk(image, socket, mib)
        for pattern, in_pages in PATTERNS.items():
            blocks = []

            def round_of(action):
                # The first of a round changes the disk for all of them.
                def once(round_number):
                    if len(blocks) == round_number:
                        blocks.append(disk.change(0.01, in_pages))
                        run.settle()
                    return {"s": action().wall_s}
                return once
            contenders = {name: round_of(lambda archive=archive: archive.backup(image)) for name, archive in there.items()}
            contenders["cairn"] = round_of(lambda: _captured(own, volume))
            for name, figures in run.interleave(bench.rounds, contenders, f"P10 {mib} MiB {pattern}").items():
                result.add(f"{mib} MiB {pattern}, {name}", "s", figures["s"])
            result.note(f"{mib} MiB: {what}; a round changes 1 % of the bytes {pattern}: {min(blocks)}–{max(blocks)} blocks of 512 KiB of {mib * 2}")
        for archive in there.values():
            archive.remove()


def _incremental_sparse(bench, result):
    """Cairn alone, on large disks that hold little: time by the blocks that changed, and by the disk's size."""
    with server(bench) as own:
        sizes = bench.scale.sparse_gib
        volumes = [own.api.create_volume(gib=gib) for gib in sizes]
        with own.attached(*volumes) as sockets:
            contenders = {}
            for gib, volume, socket in zip(sizes, volumes, sockets):
                for count in bench.scale.sparse_changes:
                    def once(round_number, gib=gib, volume=volume, socket=socket, count=count):
                        rng = random.Random(f"{round_number} {gib} {count}")
                        with Nbd(socket) as nbd:
                            for index in data.scattered(gib * run.GIB, count, rng.random()):
                                nbd.write(index * data.BLOCK, rng.randbytes(4096))
                            nbd.flush()
                        run.settle()
                        return {"s": _captured(own, volume).wall_s}
                    contenders[f"{count} blocks of {gib} GiB"] = once
            for name, figures in run.interleave(bench.rounds, contenders, "P10").items():
                result.add(name, "s", figures["s"])
    for gib in sizes:
        points = [(count, result.series[f"{count} blocks of {gib} GiB"].median) for count in bench.scale.sparse_changes]
        result.note(f"{gib} GiB, sparse, 4 KiB in each of so many scattered blocks: {_line(points)}")


def _line(points):
    """The straight line through points, and how well they lie on it."""
    n, sx, sy = len(points), sum(x for x, _ in points), sum(y for _, y in points)
    sxx, sxy = sum(x * x for x, _ in points), sum(x * y for x, y in points)
    slope = (n * sxy - sx * sy) / (n * sxx - sx * sx)
    start = (sy - slope * sx) / n
    rest = sum((y - start - slope * x) ** 2 for x, y in points)
    whole = sum((y - sy / n) ** 2 for _, y in points)
    fit = f", R² {1 - rest / whole:.3f}" if n > 2 and whole else ", two points, so no R²"
    return f"{start * 1e3:.0f} ms and {slope * 1e3:.2f} ms a block{fit}"


def restore(bench):
    """P14: a whole snapshot into a file."""
    there, missing = peers.archives(bench, "restic")
    run.need("nbdcopy", "nbdkit", "qemu-system-x86_64")
    result = Result("P14", "full restore to a file", f"{DOOR}, a volume of the snapshot on its NBD socket, `nbdcopy`")
    result.versions += [archive.version() for archive in there.values()] + peers.version("nbdcopy", "nbdkit")
    image, target = bench.scratch / "image.raw", bench.scratch / "restored"
    what = data.image(bench, image, bench.scale.restore_mib * run.MIB)
    with server(bench) as own:
        snapshot = own.cairn_json("import", image, "--snapshot-only")["SnapshotId"]

        def cairn(_):
            began = time.monotonic()
            volume = own.api.create_volume(snapshot=snapshot)
            with own.attached(volume) as (socket,):
                ready = time.monotonic() - began
                run.settle()
                spent = peers.nbdcopy(peers.uri(socket), target)
                compare(image, target)
            return {"s": spent.wall_s, "with create and attach s": spent.wall_s + ready}

        def raw(_):
            run.settle()
            with peers.nbdkit_file(bench, image) as socket:
                spent = peers.nbdcopy(peers.uri(socket), target)
            target.unlink()
            return {"s": spent.wall_s}

        contenders = {"cairn": cairn, "nbdkit file": raw}
        if "restic" in there:
            archive = there["restic"].again()
            archive.backup(image)

            def restic(_):
                run.settle()
                spent = archive.restore(image, target)
                # nbdcopy syncs what it has written, restic does not.
                synced = run.timed(["sync", *(path for path in target.rglob("*") if path.is_file())])
                shutil.rmtree(target)
                return {"s": spent.wall_s + synced.wall_s, "without sync s": spent.wall_s}
            contenders["restic restore"] = restic
        for name, figures in run.interleave(bench.rounds, contenders, "P14").items():
            for figure, values in figures.items():
                result.add(f"{name}, {figure}", "s", values)
    if "restic" in there:
        there["restic"].remove()
        result.ratio("restic ÷ cairn", "restic restore, s", "cairn, s", at_least=4)
    result.ratio("nbdcopy of a raw file ÷ cairn", "nbdkit file, s", "cairn, s", at_least=0.7)
    result.ran("nbdcopy --flush nbd+unix:///?socket=SOCKET FILE; restic restore latest --target DIRECTORY; sync FILE")
    result.note(f"data: {what}; page cache warm. A new volume each round, so that all of it comes out of packs, checked; what "
                "was restored is compared with the image. Making and attaching the volume is shown apart: attaching a "
                "disk to a machine takes most of it")
    left_out(result, missing)
    return [result]


def compare(image, target):
    """What was restored is the image (and zeros up to a whole GiB), or the row fails; then it is removed."""
    size = image.stat().st_size
    run.timed(["cmp", f"--bytes={size}", image, target])
    target.unlink()


def stored(bench):
    """P15: bytes that successive snapshots of one machine's disk take."""
    there, missing = peers.archives(bench, "restic", "borg")
    run.need("qemu-img", "qemu-nbd", "nbdcopy", "qemu-system-x86_64")
    result = Result("P15", f"stored bytes of {bench.scale.snapshots} successive snapshots", f"{DOOR}, `CreateSnapshot`")
    result.versions += [archive.version() for archive in there.values()] + peers.version("qemu-img")
    size = bench.scale.series_mib * run.MIB
    found = {}
    for seed in range(min(bench.rounds, 3)):
        figures, what, steps = _series(bench, there, size, seed)
        for name, stored_bytes in figures.items():
            found.setdefault(name, []).append(stored_bytes / run.MIB)
        print(f"  P15 seed {seed}: {figures}", file=sys.stderr, flush=True)
    for name, values in found.items():
        result.add(name, "MiB", values)
    for name, bound in (("restic", 1.25), ("borg", 1.25), ("qcow2 internal snapshots", 0.6)):
        if name in found:
            result.ratio(f"cairn ÷ {name}", "cairn", name, at_most=bound)
    result.note(f"data: {what}; between two snapshots 1 to 3 % of the bytes change (in the last series: {steps} blocks of 512 KiB), "
                "half of them in stretches of 64 KiB to 1 MiB, half in pages of 4 KiB scattered over the busy tenth of the disk")
    result.note("blocks that the file system allocates, with all of each program's indexes; Cairn's are packs, records and blobs.db, "
                "not the volume itself; qcow2 is not compressed, and holds the disk itself too. Each round is a series of its own "
                "(at most three): there is no clock in this")
    left_out(result, missing)
    return [result]


def cairn_stored(own, volume=None):
    """What Cairn keeps for snapshots: packs, records, and the index of blobs with its log; not the volume."""
    databases = [path for path in own.data.glob("blobs.db*") if not path.name.endswith("-shm")]
    # The cache of decoded blocks is made anew with each server, whatever is stored.
    caches = sum(run.stored_bytes(path) for path in (own.data / "regions").glob("*/packs/slots"))
    whole = run.stored_bytes(own.data / "regions") - caches + sum(run.stored_bytes(path) for path in databases)
    return whole - (run.stored_bytes(own.volume_directory(volume)) if volume else 0)


def _series(bench, there, size, seed):
    """One series: the first snapshot, and those after each change, in every repository."""
    image, qcow = bench.scratch / "image.raw", bench.scratch / "series.qcow2"
    what = data.image(bench, image, size, seed=100 + seed)
    run.timed(["qemu-img", "create", "-q", "-f", "qcow2", qcow, str(size)])
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(server(bench))
        volume = own.api.create_volume(gib=-(-size // run.GIB))
        socket, = stack.enter_context(own.attached(volume))
        before = cairn_stored(own, volume)
        with peers.qemu_nbd(bench, qcow, "qcow2") as other:
            peers.nbdcopy(image, peers.uri(other))
        peers.nbdcopy(image, peers.uri(socket))
        for archive in there.values():
            archive.again()
        disk, rng, steps = ChangedDisk(image, socket, seed), random.Random(seed), []
        for number in range(bench.scale.snapshots):
            if number:
                steps.append(disk.change(rng.uniform(0.01, 0.03)))
                _copy_changes(bench, image, qcow)
            own.api.completed(own.api.create_snapshot(volume))
            run.timed(["qemu-img", "snapshot", "-c", str(number), qcow])
            for archive in there.values():
                archive.backup(image)
        found = {"cairn": cairn_stored(own, volume) - before, "qcow2 internal snapshots": run.stored_bytes(qcow)}
        found |= {name: archive.stored() for name, archive in there.items()}
        for archive in there.values():
            archive.remove()
        qcow.unlink()
        return found, what, f"{min(steps)}–{max(steps)}"


def _copy_changes(bench, image, qcow):
    """Writes to the qcow2 disk where it differs from the image, in its clusters of 64 KiB."""
    cluster = 64 << 10
    with peers.qemu_nbd(bench, qcow, "qcow2") as socket, open(image, "rb") as file, Nbd(socket) as nbd:
        offset = 0
        while content := file.read(run.MIB):
            if nbd.read(offset, len(content)) != content:
                for at in range(0, len(content), cluster):
                    piece = content[at:at + cluster]
                    if nbd.read(offset + at, len(piece)) != piece:
                        nbd.write(offset + at, piece)
            offset += len(content)
        nbd.flush()


def collection(bench):
    """P16: garbage collection when half of what is stored is deleted, against restic prune."""
    there, missing = peers.archives(bench, "restic")
    run.need("nbdcopy", "qemu-system-x86_64")
    if missing:
        raise run.Unavailable("restic is not installed (`scripts/setup.sh bench`)")
    blobs = bench.scale.blobs
    result = Result("P16", "collection after half was deleted", "many blobs: the engine alone (`collect_scale`); real snapshots: `cairn serve`, `cairn gc`")
    result.versions.append(peers.Restic.version())
    archive = there["restic"]
    prepared, kept = engine.prepare(bench, blobs), _many_files(bench, archive, blobs)

    def prune(_):
        shutil.rmtree(archive.repository)
        shutil.copytree(kept, archive.repository)
        run.settle()
        spent = archive.forget(archive.snapshots()[:1])
        return {"s": spent.wall_s, "MiB": spent.rss_mib}

    def collect(_):
        figures = engine.collect(bench, prepared, blobs)
        return {"s": figures["collect s"], "MiB": figures["most MiB"]}
    found = run.interleave(bench.rounds, {"restic prune": prune, "cairn": collect}, "P16")
    for name, figures in found.items():
        result.add(f"{blobs} blobs, {name}", "s", figures["s"])
        result.add(f"{blobs} blobs, {name}, memory", "MiB", figures["MiB"])
    archive.remove()
    for directory in (prepared, kept):
        shutil.rmtree(directory)
    _real_collection(bench, result, archive)
    result.ratio(f"{blobs} blobs: restic ÷ cairn", f"{blobs} blobs, restic prune", f"{blobs} blobs, cairn", at_least=20,
                 meant="" if blobs >= 1_000_000 else "for 1 million")
    result.ratio("real snapshots: restic ÷ cairn", "snapshots, restic prune", "snapshots, cairn gc", at_least=20)
    result.limit(f"memory at {blobs} blobs, in MiB", f"{blobs} blobs, cairn, memory", at_most=256, meant="for 20 million")
    result.ran("restic forget --prune SNAPSHOT…; collect_scale DIR BLOBS collect; cairn gc, twice")
    result.note(f"{blobs} blobs: restic's are as many files of some ten bytes, so that it copies next to nothing; of Cairn's blocks "
                "there are only index and rows. Cairn's time is that of two passes: one condemns, one deletes")
    result.note("real snapshots: the series of P15, every second snapshot deleted; `cairn gc` twice with a grace of nothing "
                "(a server's own is an hour), and packs copied of which less than 95 % is needed (a server's own: 50), as restic "
                "leaves 5 % unused; at most three rounds")
    result.note("the goal of 256 MiB is for 20 million blobs: see `marking`")
    return [result]


def _many_files(bench, archive, blobs):
    """A repository of two snapshots of as many small files each; gives a copy of it."""
    archive.again()
    for half in range(2):
        directory = bench.scratch / "files"
        for number in range(blobs // 2):
            place = directory / str(number // 1000)
            if number % 1000 == 0:
                place.mkdir(parents=True)
            (place / str(number)).write_text(f"{half} {number}")
        archive.backup(directory)
        shutil.rmtree(directory)
    kept = bench.scratch / "kept-repository"
    shutil.copytree(archive.repository, kept)
    return kept


def _real_collection(bench, result, archive):
    """A series of snapshots, of which every second is deleted: `cairn gc` against `restic forget --prune`."""
    size = bench.scale.series_mib * run.MIB
    image = bench.scratch / "image.raw"
    found = {"restic prune": [], "cairn gc": []}
    for round_number in range(min(bench.rounds, 3)):
        data.image(bench, image, size, seed=200 + round_number)
        with contextlib.ExitStack() as stack:
            own = stack.enter_context(server(bench, repack_below_percent=95))
            volume = own.api.create_volume(gib=-(-size // run.GIB))
            socket, = stack.enter_context(own.attached(volume))
            peers.nbdcopy(image, peers.uri(socket))
            archive.again()
            disk, rng, snapshots = ChangedDisk(image, socket, round_number), random.Random(round_number), []
            for number in range(bench.scale.snapshots):
                if number:
                    disk.change(rng.uniform(0.01, 0.03))
                snapshots.append(own.api.create_snapshot(volume))
                own.api.completed(snapshots[-1])
                archive.backup(image)
            for snapshot in snapshots[::2]:
                own.api.ec2("DeleteSnapshot", SnapshotId=snapshot)
            run.settle()
            actions = {"restic prune": lambda: archive.forget(archive.snapshots()[::2]).wall_s,
                       "cairn gc": lambda: own.cairn("gc").wall_s + own.cairn("gc").wall_s}
            sizes = {"restic prune": archive.stored, "cairn gc": lambda: cairn_stored(own, volume)}
            for name in sorted(actions, reverse=round_number % 2 == 0):
                before = sizes[name]()
                found[name].append((actions[name](), (before - sizes[name]()) / run.MIB))
            archive.remove()
    for name, values in found.items():
        result.add(f"snapshots, {name}", "s", [seconds for seconds, _ in values])
        result.add(f"snapshots, {name}, given back", "MiB", [freed for _, freed in values])


def scrub(bench):
    """scrub: reading and checking everything that is stored."""
    there, missing = peers.archives(bench, "restic", "borg")
    result = Result("scrub", "checking everything that is stored", f"{DOOR}, `cairn scrub --rate 0`")
    result.versions += [archive.version() for archive in there.values()]
    image = bench.scratch / "image.raw"
    what = data.image(bench, image, bench.scale.restore_mib * run.MIB)
    cold = run.drop_caches()
    with server(bench) as own:
        own.cairn("import", image, "--snapshot-only")
        amounts = {"cairn": run.stored_bytes(own.packs)}

        def cairn(_):
            run.drop_caches()
            before = run.cpu_seconds(own.pid)
            spent = own.cairn("scrub", "--rate", "0")
            cpu = run.cpu_seconds(own.pid) - before
            return {"MiB/s stored": amounts["cairn"] / run.MIB / spent.wall_s,
                    "MiB/s of disk": bench.scale.restore_mib / spent.wall_s, "CPU s/GiB of disk": cpu / bench.scale.restore_mib * 1024}
        contenders = {"cairn": cairn}
        for name, archive in there.items():
            archive.again().backup(image)
            amounts[name] = archive.stored()

            def other(_, archive=archive, name=name):
                run.drop_caches()
                spent = archive.check()
                return {"MiB/s stored": amounts[name] / run.MIB / spent.wall_s,
                        "MiB/s of disk": bench.scale.restore_mib / spent.wall_s, "CPU s/GiB of disk": spent.cpu_s / bench.scale.restore_mib * 1024}
            contenders[name] = other
        for name, figures in run.interleave(bench.rounds, contenders, "scrub").items():
            for figure, values in figures.items():
                result.add(f"{name}, {figure}", "s/GiB" if "CPU" in figure else "MiB/s", values)
    for name, archive in there.items():
        archive.remove()
    result.ran("cairn scrub --rate 0; restic check --read-data; borg check --verify-data")
    result.note(f"data: {what}; page cache {'dropped before each run' if cold else 'warm (dropping it takes root)'}")
    result.note("no goal is set for this; `of disk` is what the stored bytes unfold to")
    left_out(result, missing)
    return [result]


ROWS = {("P9",): first, ("P10",): incremental, ("P14",): restore, ("P15",): stored, ("P16",): collection, ("scrub",): scrub}
