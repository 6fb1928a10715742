"""python -m tests.e2e.run [NAME...]: runs the end-to-end tests, or those whose names contain NAME.

Prints each test's time, what was skipped and why, and the counts that `scripts/test` adds up.
"""

import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent


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


def chosen(suite, names):
    """The tests of a suite whose ids contain one of the names."""
    picked = unittest.TestSuite()
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            picked.addTest(chosen(test, names))
        elif not names or any(name in test.id() for name in names) or isinstance(test, unittest.loader._FailedTest):
            picked.addTest(test)
    return picked


def main(names):
    suite = unittest.TestLoader().discover(str(HERE), top_level_dir=str(HERE.parents[1]))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(chosen(suite, names))
    broken = [str(test) for test, _ in result.failures + result.errors]
    for name in broken:
        print(f"E2E FAILED {name}")
    for test, reason in result.skipped:
        print(f"E2E SKIPPED {test}: {reason}")
    print(f"E2E {len(result.passed)} passed, {len(broken)} failed, {len(result.skipped)} skipped", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
