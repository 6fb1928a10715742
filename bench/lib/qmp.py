"""QEMU's storage daemon with a monitor: for its own way of backing up a disk that is written to."""

import json
import os
import socket
import subprocess

from . import run


class StorageDaemon:
    """Serves a raw file over NBD, and can back it up to another one meanwhile (copy before write)."""

    def __init__(self, disk, target, directory):
        self.socket, self.monitor = directory / "qsd.sock", directory / "qsd.qmp"
        self.words = [
            "qemu-storage-daemon",
            "--blockdev", f"driver=file,node-name=disk-file,filename={disk},discard=unmap",
            "--blockdev", "driver=raw,node-name=disk,file=disk-file",
            "--blockdev", f"driver=file,node-name=target-file,filename={target}",
            "--blockdev", "driver=raw,node-name=target,file=target-file",
            "--nbd-server", f"addr.type=unix,addr.path={self.socket},max-connections=0",
            "--export", "type=nbd,id=e,node-name=disk,name=,writable=on",
            "--chardev", f"socket,id=qmp,path={self.monitor},server=on,wait=off", "--monitor", "chardev=qmp"]

    def __enter__(self):
        self.process = subprocess.Popen([os.fspath(word) for word in self.words], stdin=subprocess.DEVNULL)
        run.wait_for("qemu-storage-daemon", lambda: self.process.poll() is not None or self.monitor.is_socket(), 30)
        if self.process.poll() is not None:
            raise RuntimeError(f"qemu-storage-daemon ended with {self.process.returncode}")
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.connect(str(self.monitor))
        self.answers = self.connection.makefile("rb")
        self.answers.readline()
        self.execute("qmp_capabilities")
        return self

    def execute(self, command, **arguments):
        message = {"execute": command} | ({"arguments": arguments} if arguments else {})
        self.connection.sendall(json.dumps(message).encode())
        while True:
            answer = json.loads(self.answers.readline())
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def begin_backup(self, bytes_per_second):
        self.execute("blockdev-backup", **{"job-id": "backup", "device": "disk", "target": "target", "sync": "full",
                                           "speed": bytes_per_second})

    def backing_up(self):
        return bool(self.execute("query-jobs"))

    def __exit__(self, *_):
        # A job under way would have to be cancelled first; nobody needs its result.
        self.process.kill()
        self.process.wait()
        self.answers.close()
        self.connection.close()
        for path in (self.socket, self.monitor):
            path.unlink(missing_ok=True)
