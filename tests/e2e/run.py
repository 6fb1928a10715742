"""python -m tests.e2e.run [--jobs N] [NAME...]: runs the end-to-end tests, or those whose names contain NAME.

Test classes run side by side, N at a time (1), each in a process of its own; what a class prints comes
when it has ended. Prints each test's time, what was skipped and why, and the counts that `scripts/test`
adds up.
"""

import argparse
import io
import multiprocessing
import multiprocessing.connection
import pathlib
import sys
import time
import traceback
import unittest

HERE = pathlib.Path(__file__).resolve().parent

# These take minutes. Begun last, they would run alone in the end.
LONGEST = ("test_packer", "test_terraform", "test_coverage")


class Result(unittest.TextTestResult):
    """Counts what passed, and shows how long each test took."""

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.passed = []

    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        self.passed.append(test)
        super().addSuccess(test)

    def stopTest(self, test):
        self.stream.write(f"      {time.monotonic() - self.began:.1f} s\n")
        super().stopTest(test)


def tests_of(suite):
    for test in suite:
        yield from tests_of(test) if isinstance(test, unittest.TestSuite) else [test]


def classes(names):
    """The chosen tests, {class: tests}, those first that take longest."""
    found = {}
    for test in tests_of(unittest.TestLoader().discover(str(HERE), top_level_dir=str(HERE.parents[1]))):
        broken = isinstance(test, unittest.loader._FailedTest)
        if broken or not names or any(name in test.id() for name in names):
            found.setdefault(test.id() if broken else f"{test.__module__}.{type(test).__qualname__}", []).append(test)
    return dict(sorted(found.items(), key=lambda one: not any(name in one[0] for name in LONGEST)))


def run(tests, stream):
    """Runs tests, and gives what of them is to be told: how many passed, the failed, the skipped."""
    result = unittest.TextTestRunner(stream=stream, verbosity=2, resultclass=Result).run(unittest.TestSuite(tests))
    broken = [str(test) for test, _ in result.failures + result.errors]
    return len(result.passed), broken, [f"{test}: {reason}" for test, reason in result.skipped]


def run_aside(tests, pipe):
    """Runs tests in a process of their own."""
    text = io.StringIO()
    try:
        told = run(tests, text)
    except BaseException:
        told = 0, [f"{tests[0]}: {traceback.format_exc()}"], []
    pipe.send((text.getvalue(), told))


def side_by_side(found, jobs):
    """Yields what each class told, as it ends."""
    fork = multiprocessing.get_context("fork")
    waiting, running = list(found.items()), {}
    while waiting or running:
        while waiting and len(running) < jobs:
            name, tests = waiting.pop(0)
            ours, theirs = fork.Pipe(duplex=False)
            process = fork.Process(target=run_aside, args=(tests, theirs))
            process.start()
            theirs.close()
            running[ours] = name, process
        for pipe in multiprocessing.connection.wait(running):
            name, process = running.pop(pipe)
            try:
                text, told = pipe.recv()
            except EOFError:
                text, told = "", (0, [f"{name}: its process died"], [])
            process.join()
            print(f"--- {name}\n{text}", flush=True)
            yield told


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args(arguments)
    found = classes(asked.names)
    told = list(side_by_side(found, asked.jobs)) if asked.jobs > 1 else [run(sum(found.values(), []), sys.stdout)]
    broken = [name for _, names, _ in told for name in names]
    skipped = [name for _, _, names in told for name in names]
    for name in broken:
        print(f"E2E FAILED {name}")
    for name in skipped:
        print(f"E2E SKIPPED {name}")
    print(f"E2E {sum(count for count, _, _ in told)} passed, {len(broken)} failed, {len(skipped)} skipped", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
