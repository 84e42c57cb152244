"""Fail when tests of a marker did not run: none exists, or one was skipped or is missing from the results.

Usage: must_have_run.py RESULTS.xml MARKER…
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree


def main() -> int:
    """Say for each marker what ran; 1 when anything did not."""
    results, *markers = sys.argv[1:]
    ran = ran_tests(Path(results))
    failed = False
    for marker in markers:
        wanted = marked_tests(marker)
        missing = sorted(wanted - ran)
        print(f"{marker}: {len(wanted) - len(missing)} of {len(wanted)} tests ran")
        for test in missing:
            print(f"  did not run: {test}")
        failed = failed or not wanted or bool(missing)
    return int(failed)


def ran_tests(results: Path) -> set[str]:
    """The tests of a JUnit file that were not skipped, as ``module.name``."""
    return {
        f"{case.get('classname')}.{case.get('name')}"
        for case in ElementTree.parse(results).iter("testcase")
        if case.find("skipped") is None
    }


def marked_tests(marker: str) -> set[str]:
    """The tests that carry a marker, the long campaigns left out, named as in the JUnit file."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-m", f"{marker} and not soak"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    if listed.returncode not in (0, 5):  # 5: none carries it
        sys.exit(f"the tests cannot be listed:\n{listed.stdout}{listed.stderr}")
    tests = set()
    for line in listed.stdout.splitlines():
        module, separator, name = line.partition(".py::")
        if separator:
            tests.add(f"{module.replace('/', '.')}.{name.replace('::', '.')}")
    return tests


if __name__ == "__main__":
    sys.exit(main())
