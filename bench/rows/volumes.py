"""P11 to P13, P17 and P18: snapshots and volumes by their APIs, booting, memory and space."""

import concurrent.futures
import json
import os
import pathlib
import random
import signal
import subprocess
import time

from lib import data, peers, run
from lib.nbd_client import Nbd
from lib.report import Result
from lib.server import server

DOOR = "`cairn serve`"


def upload(own, gib, blocks, parent=None, seed=1):
    """A snapshot of small blocks by EBS direct."""
    snapshot = own.api.start_snapshot(gib, parent)
    rng = random.Random(seed)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        todo = [pool.submit(own.api.put_block, snapshot, index, data.small_block(rng)) for index in blocks]
        for one in todo:
            one.result()
    own.api.complete_snapshot(snapshot, len(blocks))
    return snapshot


def changed_blocks(bench):
    """P11: ListChangedBlocks on a small and on a large volume."""
    result = Result("P11", "ListChangedBlocks", f"{DOOR}, the EBS direct API over HTTP")
    with server(bench) as own:
        contenders = {}
        for gib in bench.scale.listed_gib:
            for count in bench.scale.listed_blocks:
                blocks = data.scattered(gib * run.GIB, count, seed=gib + count) if count < gib * 2048 else range(count)
                # The parent has other content in the same blocks: both have to be walked.
                parent = upload(own, gib, blocks, seed=1)
                child = upload(own, gib, blocks, parent, seed=2)
                contenders[f"{count} blocks of {gib} GiB"] = lambda _, pair=(parent, child), count=count: _list(own, *pair, count)
        own.api.changed_blocks(parent, child)
        for name, figures in run.interleave(bench.rounds, contenders, "P11").items():
            result.add(f"{name}, first page", "ms", figures["first page ms"])
            result.add(f"{name}, all pages", "ms", figures["all ms"])
    low, high = bench.scale.listed_gib[0], bench.scale.listed_gib[-1]
    for count in bench.scale.listed_blocks:
        result.ratio(f"{count} blocks: {high} GiB ÷ {low} GiB", f"{count} blocks of {high} GiB, all pages", f"{count} blocks of {low} GiB, all pages", at_most=2)
        result.limit(f"first page of {count} of {high} GiB, in ms", f"{count} blocks of {high} GiB, first page", at_most=20)
    result.ran("GET /snapshots/SECOND/changedblocks?firstSnapshotId=FIRST&maxResults=1000, signed, on one connection")
    result.note("blocks scattered over the whole volume, all of them in both snapshots with different content; a median of "
                "nine calls each round, in a process that has made such calls before")
    return [result]


def _list(own, first, second, count):
    firsts, wholes = [], []
    for _ in range(9):
        began = time.monotonic()
        page = own.api.changed_blocks(first, second, maxResults=1000)
        firsts.append(time.monotonic() - began)
        found = len(page["ChangedBlocks"])
        while page.get("NextToken"):
            page = own.api.changed_blocks(first, second, maxResults=1000, pageToken=page["NextToken"])
            found += len(page["ChangedBlocks"])
        wholes.append(time.monotonic() - began)
        if found != count:
            raise RuntimeError(f"{found} changed blocks are listed, not {count}")
    return {"first page ms": sorted(firsts)[4] * 1e3, "all ms": sorted(wholes)[4] * 1e3}


def new_volumes(bench):
    """P12: a volume of a snapshot: making it, and its first reads."""
    run.need("qemu-system-x86_64", "cp")
    result = Result("P12", "a volume of a snapshot, and its first reads", f"{DOOR}, `CreateVolume` until `available`; reads on the NBD socket")
    result.versions += peers.version("cp")
    image, copy = bench.scratch / "image.raw", bench.scratch / "copy.raw"
    size = bench.scale.restore_mib * run.MIB
    what = data.image(bench, image, size)
    with server(bench) as own:
        dense = own.cairn_json("import", image, "--snapshot-only")["SnapshotId"]
        snapshots = {f"{gib} GiB, sparse": upload(own, gib, data.scattered(gib * run.GIB, 64)) for gib in bench.scale.create_gib}
        label = f"{bench.scale.restore_mib} MiB, dense"
        snapshots[label] = dense

        def create(snapshot):
            def once(_):
                began = time.monotonic()
                volume = own.api.create_volume(snapshot=snapshot)
                took = time.monotonic() - began
                own.api.ec2("DeleteVolume", VolumeId=volume)
                return {"ms": took * 1e3}
            return once

        def cp(_):
            run.settle()
            spent = run.timed(["cp", "--sparse=always", "--reflink=never", image, copy])
            copy.unlink()
            return {"ms": spent.wall_s * 1e3}
        contenders = {f"create, {name}": create(snapshot) for name, snapshot in snapshots.items()} | {"cp --sparse": cp}
        for name, figures in run.interleave(bench.rounds, contenders, "P12").items():
            result.add(name, "ms", figures["ms"])
        reads = run.interleave(bench.rounds, {"cairn": lambda number: _first_reads(bench, own, dense, size, number)}, "P12")["cairn"]
    for figure, values in reads.items():
        result.add(f"cold 4 KiB read, {figure.removesuffix(' ms')}", "ms" if figure.endswith(" ms") else "", values)
    for name in snapshots:
        result.limit(f"create of {name}, in ms", f"create, {name}", at_most=50)
    result.ratio(f"cp --sparse of {label} ÷ create", "cp --sparse", f"create, {label}", at_least=1)
    result.limit("cold read, p99 in ms", "cold 4 KiB read, p99", at_most=5)
    result.ran(f"cp --sparse=always --reflink=never IMAGE COPY; {bench.scale.first_reads} reads, one after the other, each of another block")
    result.note(f"data: {what}; page cache {'dropped' if os.geteuid() == 0 else 'warm'} before the reads. The volume has a "
                "VolumeInitializationRate of 100 MiB/s, EC2's lowest, so that much of it is not there yet; only blocks are read "
                "that are holes in its file until then, while others are restored in the background")
    result.note("a store in S3: not measured: this version has none")
    return [result]


def _first_reads(bench, own, snapshot, size, round_number):
    """Reads of blocks that are not in the volume's file yet, one after the other."""
    volume = own.api.create_volume(snapshot=snapshot, rate=100)
    with own.attached(volume) as (socket,), Nbd(socket) as nbd, open(own.volume_directory(volume) / "data", "rb") as file:
        run.drop_caches()
        rng, took = random.Random(round_number), []
        blocks = list(range(size // data.BLOCK))
        rng.shuffle(blocks)
        for block in blocks:
            at = block * data.BLOCK
            if len(took) == bench.scale.first_reads or not _is_hole(file, at):
                continue
            began = time.monotonic()
            nbd.read(at + rng.randrange(128) * 4096, 4096)
            took.append((time.monotonic() - began) * 1e3)
    if not took:
        raise RuntimeError("everything was restored before the first read")
    took.sort()
    return {"p50 ms": took[len(took) // 2], "p99 ms": took[len(took) * 99 // 100], "of so many reads": len(took)}


def _is_hole(file, at):
    try:
        return os.lseek(file.fileno(), at, os.SEEK_DATA) >= at + data.BLOCK
    except OSError:
        # There is no data from here to the end.
        return True


READY = b"CAIRN-GUEST-READY"


def boot(bench):
    """P13: a guest that boots from a lazily restored AMI, against the same disk as a raw file."""
    run.need("qemu-system-x86_64")
    if not bench.guest:
        raise run.Unavailable("there is no .cache/guest.raw (`scripts/guest-disk.sh .cache/guest.raw`)")
    result = Result("P13", "boot to login from a lazily restored AMI", f"{DOOR}, `RunInstances`, the instance's serial console; emulation (TCG)")
    result.versions += peers.version("qemu-system-x86_64")
    with server(bench) as own:
        image = own.cairn_json("import", bench.guest, "--name", "guest")["ImageId"]
        # Its machine has the network and the metadata service that the peer's uses; it does nothing itself.
        donor = own.launch(own.blank_image())
        run.wait_for("the donor", lambda: own.api.instance_state(donor) == "running")
        pid = own.pid_of(donor)
        os.kill(pid, signal.SIGSTOP)
        words = [word.decode() for word in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]]
        contenders = {"raw file": lambda _: _boot_raw(bench, words), "cairn": lambda _: _boot_cairn(own, image)}
        try:
            found = run.interleave(bench.rounds, contenders, "P13")
        finally:
            os.kill(pid, signal.SIGCONT)
    result.add("raw file, QEMU's start to login", "s", found["raw file"]["login s"])
    result.add("cairn, QEMU's start to login", "s", found["cairn"]["login s"])
    result.add("cairn, RunInstances to login", "s", found["cairn"]["from the call s"])
    result.add("cairn, restored at login", "%", found["cairn"]["restored %"])
    result.ratio("login: cairn ÷ raw file, from QEMU's start", "cairn, QEMU's start to login", "raw file, QEMU's start to login", at_most=1.25)
    result.ratio("login: cairn from the call ÷ raw file from QEMU's start", "cairn, RunInstances to login", "raw file, QEMU's start to login", at_most=1.25)
    result.limit("restored at login, in % of the image", "cairn, restored at login", at_most=15)
    result.ran("qemu-system-x86_64: the arguments of a machine of Cairn's, its root disk a raw file (cache=writeback)")
    result.note(f"data: the guest of the tests, {bench.guest.stat().st_size >> 20} MiB, of which {run.stored_bytes(bench.guest) >> 20} "
                f"MiB are not holes; page cache {'dropped' if os.geteuid() == 0 else 'warm'} before each boot; the raw file is a new copy each round")
    result.note("restored at login: what the volume's file holds when the guest says that it can be logged in to; what "
                "was restored in the background is part of it, so that it is an upper bound of what the boot needed")
    result.note("with a boot set (goal ≤ 1.1): not measured apart; rounds after the first may replay the one that it left")
    return [result]


def _boot_cairn(own, image):
    run.drop_caches()
    began = time.monotonic()
    instance = own.launch(image)
    console = own.data / "instances" / instance / "console.log"
    started = run.wait_for("the machine", lambda: console.exists() and time.monotonic(), timeout=60, every=0.002)
    run.wait_for("the guest to be up", lambda: READY in console.read_bytes(), timeout=180, every=0.01)
    ended = time.monotonic()
    volume = own.api.ec2("DescribeInstances", InstanceId_1=instance).find(
        ".//instancesSet/item/blockDeviceMapping/item/ebs/volumeId").text
    disk = own.volume_directory(volume) / "data"
    restored = run.stored_bytes(disk) / disk.stat().st_size * 100
    own.end(instance)
    return {"login s": ended - started, "from the call s": ended - began, "restored %": restored}


def _boot_raw(bench, donor):
    disk, console = bench.scratch / "boot.raw", bench.scratch / "boot.console"
    run.timed(["cp", "--sparse=always", bench.guest, disk])
    console.unlink(missing_ok=True)
    words = _as_raw(donor, disk, console)
    run.drop_caches()
    began = time.monotonic()
    machine = subprocess.Popen(words, stdin=subprocess.DEVNULL)
    try:
        started = run.wait_for("the machine", lambda: machine.poll() is not None or console.exists() and time.monotonic(), timeout=60, every=0.002)
        if machine.poll() is not None:
            raise RuntimeError(f"the machine of the raw file ended with {machine.returncode}: {' '.join(words)}")
        run.wait_for("the guest to be up", lambda: READY in console.read_bytes(), timeout=180, every=0.01)
        ended = time.monotonic()
    finally:
        machine.kill()
        machine.wait()
    disk.unlink()
    return {"login s": ended - started, "from the call s": ended - began}


def _as_raw(words, disk, console):
    """A machine's command line with a raw file for its root disk, and files of its own."""
    found = []
    pairs = iter(words)
    for word in pairs:
        if word in ("-daemonize", "-S"):
            continue
        if word in ("-pidfile", "-D", "-mon"):
            next(pairs)
            continue
        found.append(word)
        if word in ("-chardev", "-blockdev", "-netdev"):
            found.append(next(pairs))
        if word == "-chardev" and "id=qmp" in found[-1]:
            del found[-2:]
        elif word == "-chardev":
            found[-1] = f"file,id=console,path={console},append=on"
        elif word == "-blockdev":
            found[-1] = _raw_node(found[-1], disk)
        elif word == "-netdev":
            # The forwarded port of the one that it was taken from is in use.
            found[-1] = ",".join(part for part in found[-1].split(",") if not part.startswith("hostfwd="))
    return found


def _raw_node(node, disk):
    name = json.loads(node)["node-name"]
    return json.dumps({"driver": "raw", "node-name": name, "discard": "unmap",
                       "file": {"driver": "file", "filename": str(disk), "discard": "unmap"}})


def memory(bench):
    """P17: memory of the server for each attached volume."""
    run.need("qemu-system-x86_64")
    result = Result("P17", "memory for each attached volume", f"{DOOR}, anonymous pages of the process (smaps_rollup)")
    found = {}
    for round_number in range(bench.rounds):
        for gib in bench.scale.attached_gib if round_number % 2 == 0 else bench.scale.attached_gib[::-1]:
            for state, amount in _attached_memory(bench, gib, round_number).items():
                found.setdefault((gib, state), []).append(amount)
    for (gib, state), values in sorted(found.items()):
        result.add(f"{gib} GiB, {state}", "MiB", values)
    for gib in bench.scale.attached_gib:
        result.limit(f"{gib} GiB, written all over, in MiB", f"{gib} GiB, written all over", at_most=1 + gib / 1024)
    result.ran(f"{bench.scale.attached} volumes of a size attached to a machine; then 2000 writes of 4 KiB to each, and a snapshot of one")
    result.note("the difference to the server before, from which a machine with a volume has come and gone, divided by the volumes; a "
                "new server for each size and round. What a capture leaves with the process is shown undivided. Threads, buffers of connections and what the allocator keeps are in it")
    return [result]


def _attached_memory(bench, gib, round_number):
    count = bench.scale.attached
    with server(bench) as own:
        # What is the server's own, once: a machine with a volume has come and gone.
        with own.attached(own.api.create_volume(gib=1)):
            pass
        volumes = [own.api.create_volume(gib=gib) for _ in range(count)]
        before = run.private_mib(own.pid)
        with own.attached(*volumes) as sockets:
            attached = run.private_mib(own.pid)
            rng = random.Random(round_number)
            for volume, socket in zip(volumes, sockets):
                with Nbd(socket) as nbd:
                    for _ in range(2000):
                        nbd.write(rng.randrange(gib * run.GIB // 4096) * 4096, bytes([1]) * 4096)
                    nbd.flush()
            written = run.private_mib(own.pid)
            for volume in volumes[:1]:
                own.api.completed(own.api.create_snapshot(volume))
            captured = run.private_mib(own.pid)
    return {"attached": (attached - before) / count, "written all over": (written - before) / count,
            "one capture more, in all": captured - written}


def space(bench):
    """P18: space that a volume takes while it is written over ten times and more."""
    run.need("fio", "nbdcopy", "qemu-img", "qemu-nbd", "qemu-system-x86_64")
    result = Result("P18", "space under overwrite churn", f"{DOOR}, a volume's directory; 4 KiB random writes over ten times its size")
    result.versions += peers.version("qemu-nbd", "fio")
    image = bench.scratch / "image.raw"
    size = bench.scale.churn_mib * run.MIB
    what = data.image(bench, image, size)
    found = run.interleave(bench.rounds, {"cairn": lambda _: _churn_cairn(bench, image, size),
                                          "qcow2": lambda _: _churn_qcow2(bench, image, size)}, "P18")
    for name, figures in found.items():
        for figure, values in figures.items():
            result.add(f"{name}, {figure}", "× the disk", values)
    cap = 1.05 + (1 << 30) / size
    result.limit("volume and journal at most, ÷ the disk (cap of the journal: 1 GiB)", "cairn, at most", at_most=cap)
    result.limit("volume and journal at the end, ÷ the disk", "cairn, at the end", at_most=1.05 + (128 << 20) / size)
    result.ran(f"fio {' '.join(peers.RANDWRITE)} --norandommap --io_size={size} ten times; a snapshot before each second one")
    result.note(f"data: {what}, the whole disk is live. Allocated bytes of the volume's directory, looked at each 50 ms; snapshots are "
                "in packs, and not counted for Cairn; those of qcow2 are internal, and lie in its file. At the end means: after the last snapshot is "
                "completed and the journal is folded; two segments of 64 MiB stay")
    return [result]


def _churn(action, socket, size, look):
    """Writes over a disk ten times; gives the greatest of what `look` saw meanwhile."""
    most = look()
    for number in range(10):
        if number % 2 == 0:
            action(number)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            writing = pool.submit(peers.fio, socket, size, *peers.RANDWRITE, "--norandommap", f"--io_size={size}", f"--randseed={number}")
            while not writing.done():
                most = max(most, look())
                concurrent.futures.wait([writing], 0.05)
            writing.result()
    return max(most, look())


def _churn_cairn(bench, image, size):
    with server(bench) as own:
        volume = own.api.create_volume(gib=-(-size // run.GIB))
        with own.attached(volume) as (socket,):
            peers.nbdcopy(image, peers.uri(socket))
            directory, snapshots = own.volume_directory(volume), []

            def snapshot(_):
                if snapshots:
                    own.api.completed(snapshots[-1])
                snapshots.append(own.api.create_snapshot(volume))
            most = _churn(snapshot, socket, size, lambda: run.stored_bytes(directory))
            own.api.completed(snapshots[-1])
            end = _at_rest(lambda: run.stored_bytes(directory))
            return {"at most": most / size, "at the end": end / size}


def _at_rest(look, still=40):
    """What `look` gives once it has not changed for two seconds."""
    last, times = look(), 0
    while times < still:
        time.sleep(0.05)
        now = look()
        last, times = now, times + 1 if now == last else 0
    return last


def _churn_qcow2(bench, image, size):
    disk = bench.scratch / "churn.qcow2"
    run.timed(["qemu-img", "convert", "-O", "qcow2", image, disk])
    # qemu-img must not touch a disk that is served: its server is another one after each snapshot.
    most = run.stored_bytes(disk)
    for number in range(10):
        if number % 2 == 0:
            run.timed(["qemu-img", "snapshot", "-c", str(number), disk])
        with peers.qemu_nbd(bench, disk, "qcow2") as socket:
            peers.fio(socket, size, *peers.RANDWRITE, "--norandommap", f"--io_size={size}", f"--randseed={number}")
        most = max(most, run.stored_bytes(disk))
    disk.unlink()
    return {"at most": most / size}


ROWS = {("P11",): changed_blocks, ("P12",): new_volumes, ("P13",): boot, ("P17",): memory, ("P18",): space}
