"""What is stored: the disk of a real system, a mixture of stated compressibility, and a machine's changes.

Everything comes from a seed, so that every contender and every run sees the same bytes.
"""

import bisect
import os
import random
import zlib

from .run import GIB, MIB

PAGE = 4096
BLOCK = 512 << 10


def guest_extents(path):
    """The parts of a sparse file that hold data, as (offset, length)."""
    with open(path, "rb") as file:
        end = os.fstat(file.fileno()).st_size
        at, found = 0, []
        while at < end:
            try:
                start = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:
                break
            at = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            found.append((start, at - start))
    return found


def permutations(seed):
    """Another exchange of the bytes 1 to 255 each time: nothing is equal any more, and everything compresses as before."""
    rng = random.Random(seed)
    while True:
        others = list(range(1, 256))
        rng.shuffle(others)
        yield bytes([0, *others])


def from_guest(guest, path, length, seed=1):
    """A dense image of a real disk's content, again and again, each time under another exchange of its bytes."""
    parts = guest_extents(guest)
    with open(guest, "rb") as source, open(path, "wb") as image:
        tables = permutations(seed)
        while image.tell() < length:
            table = next(tables)
            for start, size in parts:
                source.seek(start)
                while size and image.tell() < length:
                    piece = source.read(min(size, MIB, length - image.tell()))
                    image.write(piece.translate(table))
                    size -= len(piece)
    return path


class Mixture:
    """Pages of a machine's disk: a third that does not compress, half text, the rest zeros, in runs."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        words = [self.rng.randbytes(self.rng.randint(3, 12)).hex().encode() for _ in range(4000)]
        self.text = b" ".join(self.rng.choices(words, k=200_000))

    def run(self):
        """From one to sixteen pages of a kind."""
        length = self.rng.randint(1, 16) * PAGE
        kind = self.rng.random()
        if kind < 0.33:
            return self.rng.randbytes(length)
        if kind < 0.83:
            start = self.rng.randrange(len(self.text) - length)
            return self.text[start:start + length]
        return bytes(length)

    def bytes(self, length):
        parts, have = [], 0
        while have < length:
            parts.append(self.run())
            have += len(parts[-1])
        return b"".join(parts)[:length]


def mixture(path, length, seed=1):
    """An image of the mixture."""
    source = Mixture(seed)
    with open(path, "wb") as image:
        for start in range(0, length, MIB):
            image.write(source.bytes(min(MIB, length - start)))
    return path


def compressibility(path):
    """How many to one a sample of blocks compresses by zlib at level 1: a figure to tell images apart by."""
    size = os.path.getsize(path)
    plain = packed = 0
    with open(path, "rb") as image:
        for at in range(0, size, max(BLOCK, size // 64 // BLOCK * BLOCK)):
            image.seek(at)
            data = image.read(BLOCK)
            plain, packed = plain + len(data), packed + len(zlib.compress(data, 1))
    return plain / packed


def image(bench, path, length, kind=None, seed=1):
    """An image, and what to call it: of the guest's disk where there is one."""
    kind = kind or ("guest" if bench.guest else "mixture")
    if kind == "guest":
        from_guest(bench.guest, path, length, seed)
    else:
        mixture(path, length, seed)
    name = {"guest": "a real system's disk, its content varied", "mixture": "a synthetic mixture"}[kind]
    return f"{name}, {length / GIB:.2f} GiB dense, zlib -1 {compressibility(path):.1f} to 1"


def changes(rng, source, size, share, in_pages=0.5):
    """What a machine changes between two snapshots: `share` of its pages, as (offset, bytes).

    Some of the bytes lie in a few stretches of 64 KiB to 1 MiB, as files that were written; the
    part `in_pages` in single pages scattered over the tenth of the disk that is busy, as databases and logs.
    """
    wanted = int(size * share) // PAGE * PAGE
    in_stretches = int(wanted * (1 - in_pages)) // PAGE * PAGE
    pieces, have = [], 0
    while have < in_stretches:
        length = min(rng.randint(16, 256) * PAGE, in_stretches - have)
        pieces.append((rng.randrange(max(1, (size - length) // PAGE)) * PAGE, source.bytes(length)))
        have += length
    hot = size // 10 // PAGE
    while have < wanted:
        pieces.append((rng.randrange(hot) * PAGE, source.bytes(PAGE)))
        have += PAGE
    return pieces


def scattered(size, count, seed=1):
    """So many different blocks of a disk, spread over it: their numbers, sorted."""
    rng = random.Random(seed)
    found = []
    while len(found) < count:
        index = rng.randrange(size // BLOCK)
        at = bisect.bisect_left(found, index)
        if at == len(found) or found[at] != index:
            found.insert(at, index)
    return found


def small_block(rng):
    """A block that no other is equal to, and that costs next to nothing to store."""
    return rng.randbytes(64) + bytes(BLOCK - 64)
