"""Rounds, processes and what they cost."""

import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20
GIB = 1 << 30
PATIENCE_S = 600


class Unavailable(Exception):
    """Something that a row needs is not here; the row says so."""


def need(*programs):
    """Says which program is missing, and what installs it."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        raise Unavailable(f"not installed: {', '.join(missing)} (`scripts/setup.sh bench`)")


def interleave(rounds, contenders, progress=""):
    """Runs every contender once a round, every second round in the opposite order.

    A contender is a function of the round's number that gives its figures as {name: number};
    the answer is {contender: {name: [number of each round]}}.
    """
    found = {name: {} for name in contenders}
    for round_number in range(rounds):
        order = list(contenders) if round_number % 2 == 0 else list(contenders)[::-1]
        for name in order:
            figures = contenders[name](round_number)
            for figure, value in figures.items():
                found[name].setdefault(figure, []).append(value)
            said = ", ".join(f"{figure} {value:.3f}" for figure, value in figures.items())
            print(f"  {progress} round {round_number + 1} {name}: {said}", file=sys.stderr, flush=True)
    return found


@dataclasses.dataclass
class Spent:
    """What a command took: seconds by the clock, seconds of processor (its children included), memory."""

    wall_s: float
    cpu_s: float
    rss_mib: float
    output: str


def timed(command, environment=None, cwd=None, ok=(0,)):
    """Runs a command to its end, and says what it took; what it printed is in the error if it fails."""
    words = [os.fspath(word) for word in command]
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        process = subprocess.Popen(words, env=environment, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except KeyboardInterrupt:
            stop(process)
            raise
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if process.returncode not in ok:
        raise RuntimeError(f"{' '.join(words)}\nended with {process.returncode}:\n{text[-3000:]}")
    return Spent(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)


def cpu_seconds(pid):
    """Processor time of a process so far, all its threads, user and system."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def private_mib(pid):
    """Memory that only this process holds (anonymous pages), in MiB."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no Anonymous line in smaps_rollup")


def wait_for(what, condition, timeout=PATIENCE_S, every=0.02):
    """Polls until `condition` gives something true, and returns it."""
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {timeout:.0f} s in vain for {what}")
        time.sleep(every)
    return result


def stop(process):
    """Ends a process that was started here, and waits for that."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def settle():
    """Writes out what earlier rounds left, so that no round pays for another one's."""
    os.sync()


def drop_caches():
    """Empties the page cache; says whether it could."""
    os.sync()
    try:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return False
    return True


def stored_bytes(path):
    """Bytes that a file, or all files below a directory, take on the disk."""
    path = pathlib.Path(path)
    if path.is_file():
        return path.stat().st_blocks * 512
    total = 0
    for parent, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_blocks * 512
            except FileNotFoundError:
                pass
    return total


def first_line(*command):
    """What a program says its version is."""
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout or done.stderr).strip().splitlines()[0]
