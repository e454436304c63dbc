"""Running a test file: unittest, with the exit status that ctest reads as "skipped" when nothing could run."""
import sys
import unittest

from harness.isolate import SKIPPED
from harness.machines import ISOLATED, installed


def needs_root(test):
    return unittest.skipUnless(ISOLATED, "needs root and namespaces")(test)


def needs(*programs):
    missing = installed(*programs)
    return unittest.skipIf(missing, f"{missing} is not installed")


def main():
    program = unittest.main(module="__main__", exit=False, verbosity=2, warnings="ignore")
    result = program.result
    for test, why in result.skipped:
        print(f"skipped: {test}: {why}")
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIPPED if result.testsRun and len(result.skipped) >= result.testsRun else 0)
