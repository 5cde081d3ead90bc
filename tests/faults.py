"""Tries all faults at length: `python -m tests.faults [FACTOR]`.

Servers, jobs, trainings and writers are killed, disks fill, stores and checkpoints are damaged,
connections are lost and the clock jumps; by default with over 200 kills. CONTRIBUTING has the
table. Results go with the commit.
"""

import os
import subprocess
import sys

from tests.support.load import VARIABLE


def main() -> int:
    factor = sys.argv[1] if len(sys.argv) > 1 else "4"
    command = [sys.executable, "-m", "pytest", "-n", "0", "-m", "fault", "-v", "--durations=0"]
    return subprocess.run(command, env=os.environ | {VARIABLE: factor}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
