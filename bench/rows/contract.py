"""direct and copies: EBS direct by processor time, and what a copy into another region moves."""

import concurrent.futures
import json
import random
import time

from lib import data, run
from lib.api import BLOCK, Api
from lib.report import Result
from lib.server import server

DOOR = "`cairn serve`"
ELSEWHERE = "us-west-2"
THREADS = 4


def direct(bench):
    """direct: PutSnapshotBlock and GetSnapshotBlock, by the server's processor time."""
    result = Result("direct", "EBS direct", f"{DOOR}, PutSnapshotBlock and GetSnapshotBlock over HTTP on loopback")
    rng, count = random.Random(1), bench.scale.direct_blocks
    mixture = data.Mixture(1)
    makers = {"noise": lambda: rng.randbytes(BLOCK), "a machine's pages": lambda: mixture.bytes(BLOCK)}
    with server(bench) as own, concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        contenders = {name: lambda _, make=make: _put_and_get(own, pool, [make() for _ in range(count)]) for name, make in makers.items()}
        for name, figures in run.interleave(bench.rounds, contenders, "direct").items():
            for figure, values in figures.items():
                result.add(f"{name}: {figure}", "", values)
    for name in makers:
        for verb in ("put", "get"):
            result.limit(f"{verb} of {name}, MiB for a second of one core", f"{name}: {verb}, MiB a core-second", at_least=500)
    result.ran(f"{count} blocks of 512 KiB, by {THREADS} threads of Python's http.client, until CompleteSnapshot was answered")
    result.note("bytes by the processor time of the server, all its threads: what one core could do; how many there were by the clock is the "
                "client's figure, which is on the same machine; puts say UNSIGNED-PAYLOAD and a SHA-256 in x-amz-Checksum, as botocore does")
    return [result]


def _put_and_get(own, pool, blocks):
    """New blocks each time; else they would be there already."""
    snapshot = own.api.start_snapshot(max(1, -(-len(blocks) * BLOCK // run.GIB)))
    put = _spent(own, lambda: _upload(own.api, pool, snapshot, dict(enumerate(blocks))))
    listed = _listed(own.api, snapshot)
    get = _spent(own, lambda: list(pool.map(lambda one: own.api.get_block(snapshot, *one), listed)))
    mib = len(blocks) * BLOCK / run.MIB
    return {f"{verb}, MiB a {what}": mib / seconds for verb, spent in (("put", put), ("get", get))
            for what, seconds in zip(("core-second", "second"), spent)}


def _spent(own, action):
    """Seconds of the server's processor and of the clock."""
    run.settle()
    cpu, began = run.cpu_seconds(own.pid), time.monotonic()
    action()
    return run.cpu_seconds(own.pid) - cpu, time.monotonic() - began


def _upload(api, pool, snapshot, blocks):
    list(pool.map(lambda one: api.put_block(snapshot, *one), blocks.items()))
    api.complete_snapshot(snapshot, len(blocks))


def _listed(api, snapshot):
    """(index, token) of every block."""
    found, query = [], {"maxResults": 1000}
    while True:
        page = json.loads(api.ebs("GET", f"/snapshots/{snapshot}/blocks", query))
        found += [(block["BlockIndex"], block["BlockToken"]) for block in page["Blocks"]]
        if not (token := page.get("NextToken")):
            return found
        query = {"maxResults": 1000, "pageToken": token}


def copies(bench):
    """copies: CopySnapshot into another region after one percent changed."""
    result = Result("copies", "copy into another region after 1 % changed", f"{DOOR}, CopySnapshot until `completed`")
    count = bench.scale.direct_blocks
    changed = max(1, count // 100)
    with server(bench) as own, concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        there = Api(own.api.address, own.api.key, own.api.secret, ELSEWHERE)
        gib = max(1, -(-count * BLOCK // run.GIB))
        rng = random.Random(2)
        last = own.api.start_snapshot(gib)
        _upload(own.api, pool, last, {index: rng.randbytes(BLOCK) for index in range(count)})
        first = _copied(own, there, last)

        def again(_):
            nonlocal last
            last = own.api.start_snapshot(gib, last)
            _upload(own.api, pool, last, {index: rng.randbytes(BLOCK) for index in rng.sample(range(count), changed)})
            figures = _copied(own, there, last)
            return figures | {"moved ÷ changed": figures["MiB"] * run.MIB / (changed * BLOCK)}
        found = run.interleave(bench.rounds, {"copy": again}, "copies")["copy"]
    result.add("the first copy, MiB", "", [first["MiB"]])
    for name, values in found.items():
        result.add(f"after 1 %: {name}", "", values)
    result.limit("bytes moved ÷ bytes changed", "after 1 %: moved ÷ changed", at_most=1.02)
    result.note(f"{count} blocks that do not compress, {changed} of them changed; moved is by how much the packs of the other region grow, with "
                "all that is written about the blocks")
    return [result]


def _copied(own, there, snapshot):
    packs = own.data / "regions" / ELSEWHERE / "packs"
    before, began = _length(packs), time.monotonic()
    copy = there.ec2("CopySnapshot", SourceRegion=own.api.region, SourceSnapshotId=snapshot).findtext("snapshotId")
    there.completed(copy, every=0.005)
    return {"s": time.monotonic() - began, "MiB": (_length(packs) - before) / run.MIB}


def _length(packs):
    """Bytes of all packs; not of the file of cached blocks that lies beside them."""
    return sum(file.stat().st_size for file in packs.glob("*.*"))


ROWS = {("direct",): direct, ("copies",): copies}
