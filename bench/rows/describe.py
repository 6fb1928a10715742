"""Describe over many snapshots and images, beside moto_server."""

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys

from lib import run
from lib.api import Api
from lib.report import Result
from lib.server import Server

VERSION = "Version=2016-11-15"
NOUNS = {"Snapshots": ("SnapshotId", "snapshotId"), "Images": ("ImageId", "imageId")}
SERVER_CORE, LOAD_CORE = "0", "1"


class Described:
    """A server with so many snapshots and images, on a core of its own, that is asked from the other one."""

    def __init__(self, bench, count, address, key, secret):
        self.load, self.count, self.address = bench.example("describe_load"), count, address
        self.environment = os.environ | {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
        self.api = Api(address, key, secret)
        self.ids = {noun: self.some_ids(noun) for noun in NOUNS}

    def ask(self, forms, connections, seconds):
        done = subprocess.run(["taskset", "-c", LOAD_CORE, self.load, self.address, str(connections), str(seconds)],
                              input="\n".join(forms), capture_output=True, text=True, env=self.environment)
        if done.returncode:
            raise RuntimeError(f"describe_load ended with {done.returncode}:\n{done.stderr[-2000:]}")
        return json.loads(done.stdout.splitlines()[-1])

    def some_ids(self, noun):
        """Requests by id, of ids from all over the table."""
        parameter, element = NOUNS[noun]
        ids = []
        for number in sample(self.count // 100, 10):
            found = self.api.ec2(f"Describe{noun}", MaxResults=100, Filter_1_Name="tag:hundred", Filter_1_Value_1=number)
            ids += [one.text for one in found.iter(element)]
        return [f"Action=Describe{noun}&{VERSION}&{parameter}.1={one}" for one in ids]

    def figures(self, seconds):
        """All that is measured of it, once."""
        found = {}
        for noun in NOUNS:
            by_id = self.ask(self.ids[noun], 8, seconds)
            found[f"{noun} by id, a second"] = by_id["per_second"]
            for tag, size in (("hundred", 100), ("thousand", 1000)):
                forms = [filtered(noun, tag, number, size) for number in sample(self.count // size, 50)]
                page = self.ask(forms, 1, seconds)
                found[f"{noun}, page of {size}, p50 ms"] = page["p50_ms"]
                found[f"{noun}, page of {size}, p99 ms"] = page["p99_ms"]
        return found


def sample(among, most):
    return random.Random(among).sample(range(max(among, 1)), min(max(among, 1), most))


def filtered(noun, tag, number, size):
    return f"Action=Describe{noun}&{VERSION}&MaxResults={size}&Filter.1.Name=tag%3A{tag}&Filter.1.Value.1={number}"


@contextlib.contextmanager
def cairn(bench, count):
    """`cairn serve` over a data directory that was seeded."""
    server = Server(bench.binary, bench.scratch / f"data-{count}", 50)
    try:
        server.start().stop()
        (server.data / "endpoint").unlink(missing_ok=True)
        run.timed([bench.example("describe_seed"), server.data, str(count)])
        server.start()
        on_its_core(server.pid)
        yield Described(bench, count, server.api.address, server.api.key, server.api.secret)
    finally:
        server.stop()
        shutil.rmtree(server.data, ignore_errors=True)


@contextlib.contextmanager
def moto(bench, count):
    """moto_server, its nouns made by its own backend."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = bench.root / "bench" / "moto_seeded.py"
    with open(bench.scratch / f"moto-{count}.log", "wb") as log:
        process = subprocess.Popen(["taskset", "-c", SERVER_CORE, sys.executable, script, str(count), str(port)], stdout=subprocess.PIPE, stderr=log)
    try:
        if process.stdout.readline().strip() != b"ready":
            raise RuntimeError(f"moto_server ended: {(bench.scratch / f'moto-{count}.log').read_text()[-2000:]}")
        run.wait_for("moto_server", lambda: answers(port), 60)
        yield Described(bench, count, f"127.0.0.1:{port}", "AKIAIOSFODNN7EXAMPLE", "secret")
    finally:
        run.stop(process)


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True


def on_its_core(pid):
    """Holds a process, all its threads, to one core."""
    subprocess.run(["taskset", "-a", "-p", "-c", SERVER_CORE, str(pid)], check=True, stdout=subprocess.DEVNULL)


def describe(bench):
    """describe: pages and single ids out of many snapshots and images, beside moto_server."""
    run.need("taskset")
    try:
        import moto as peer
    except ImportError:
        raise run.Unavailable("not installed: moto (`pip install 'moto[ec2,server]'`)") from None
    result = Result("describe", "Describe over many snapshots and images", "`cairn serve` on one core, the load on another; signed requests")
    result.against(f"moto {peer.__version__}")
    with contextlib.ExitStack() as stack:
        contenders = {}
        for count in bench.scale.described:
            contenders[f"cairn, {count}"] = stack.enter_context(cairn(bench, count))
        for count in bench.scale.described_by_moto:
            contenders[f"moto, {count}"] = stack.enter_context(moto(bench, count))
        asked = {name: lambda _, one=one: one.figures(bench.scale.describe_seconds) for name, one in contenders.items()}
        for name, figures in run.interleave(bench.rounds, asked, "describe").items():
            for figure, values in figures.items():
                result.add(f"{name}: {figure}", "", values)
    goals(result, bench.scale)
    result.ran("describe_seed DIRECTORY COUNT; describe_load ADDRESS CONNECTIONS SECONDS < FORMS")
    result.note("times are those of the client, on one connection, the whole of an answer; requests by id over eight connections; "
                "moto checks no signature and cuts no page of snapshots")
    return [result]


def goals(result, scale):
    small, most = scale.described[0], scale.described[-1]
    for noun in NOUNS:
        result.limit(f"{noun} by id a second, of {most}", f"cairn, {most}: {noun} by id, a second", at_least=5000)
        for size, bound in ((100, 5), (1000, 20)):
            figure = f"{noun}, page of {size}, p99 ms"
            result.limit(f"{figure}, of {most}", f"cairn, {most}: {figure}", at_most=bound)
            result.ratio(f"{noun}, page of {size}: {most} ÷ {small}", f"cairn, {most}: {noun}, page of {size}, p50 ms",
                         f"cairn, {small}: {noun}, page of {size}, p50 ms", at_most=1.5)


ROWS = {("describe",): describe}
