"""Runs the tests of load and of chance at length: `python -m tests.load [FACTOR]`.

Writers are killed, threads and processes change one store, files are damaged and links made up,
so many times as often as in the suite; by default, twenty. Results go with the commit.
"""

import os
import subprocess
import sys

from tests.support.load import VARIABLE


def main() -> int:
    factor = sys.argv[1] if len(sys.argv) > 1 else "20"
    command = [sys.executable, "-m", "pytest", "-m", "load", "--durations=0", "--durations-min=1"]
    return subprocess.run(command, env=os.environ | {VARIABLE: factor}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
