"""A client of the NBD protocol, as much of it as writing and reading here and there needs."""

import socket
import struct

_MAGIC, _OPTION, _REPLY = b"NBDMAGIC", b"IHAVEOPT", 0x3E889045565A9
_GO, _ACK, _INFO = 7, 1, 3
_READ, _WRITE, _FLUSH = 0, 1, 3


class Nbd:
    """One connection, one request at a time."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.stream = self.socket.makefile("rb")
        if self.stream.read(16) != _MAGIC + _OPTION:
            raise RuntimeError(f"{path} is not an NBD server")
        self.stream.read(2)
        # Fixed newstyle, no zeroes; then the export without a name.
        self.socket.sendall(struct.pack(">I", 3) + _OPTION + struct.pack(">II", _GO, 6) + bytes(6))
        self.size = self._negotiated()

    def _negotiated(self):
        size = None
        while True:
            magic, _, kind, length = struct.unpack(">QIII", self.stream.read(20))
            data = self.stream.read(length)
            if magic != _REPLY or kind not in (_ACK, _INFO):
                raise RuntimeError(f"the NBD server refuses: {kind:#x} {data!r}")
            if kind == _ACK:
                return size
            if data[:2] == b"\0\0":
                size = struct.unpack(">Q", data[2:10])[0]

    def _ask(self, command, offset=0, length=0, data=b""):
        self.socket.sendall(struct.pack(">IHHQQI", 0x25609513, 0, command, 0, offset, length) + data)
        magic, error, _ = struct.unpack(">IIQ", self.stream.read(16))
        if magic != 0x67446698 or error:
            raise RuntimeError(f"NBD command {command} at {offset}: error {error}")

    def read(self, offset, length):
        self._ask(_READ, offset, length)
        return self.stream.read(length)

    def write(self, offset, data):
        self._ask(_WRITE, offset, len(data), data)

    def flush(self):
        self._ask(_FLUSH)

    def close(self):
        self.socket.sendall(struct.pack(">IHHQQI", 0x25609513, 0, 2, 0, 0, 0))
        self.stream.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
