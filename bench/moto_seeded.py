"""moto_seeded.py COUNT PORT: moto_server over so many snapshots and images, made by its own backend in this process.

Says `ready` once they are there, and serves then. The same tags as those of `describe_seed`.
"""

import sys

import moto.server
from moto.ec2.models import ec2_backends
from moto.ec2.models.amis import Ami

ACCOUNT = "123456789012"


def tags(number, count):
    return {"Name": f"web-server-{number}", "hundred": str(number % max(count // 100, 1)),
            "thousand": str(number % max(count // 1000, 1))}


def main():
    count, port = int(sys.argv[1]), sys.argv[2]
    backend = ec2_backends[ACCOUNT]["us-east-1"]
    # The images that it ships, and their snapshots, are not to be counted.
    backend.amis.clear()
    backend.snapshots.clear()
    volume = backend.create_volume(8, "us-east-1a")
    for number in range(count):
        snapshot = backend.create_snapshot(volume.id, f"backup {number} of a web server")
        snapshot.add_tags(tags(number, count))
    kept = dict(backend.snapshots)
    for number in range(count):
        name = f"ami-{number:017x}"
        backend.amis[name] = Ami(backend, name, name=f"web-server-{number}", description=f"web server, build {number}",
                                 architecture="x86_64", virtualization_type="hvm", tags=tags(number, count))
    # Each image made a snapshot of its own; Cairn's share those that are there.
    backend.snapshots.clear()
    backend.snapshots.update(kept)
    print("ready", flush=True)
    moto.server.main(["-H", "127.0.0.1", "-p", port])


main()
