"""`make fuzz`: every byte parser under atheris, the whole description under schemathesis, lives and claims at length.

`python -m tests.hostile.fuzz SECONDS` runs all; with the name of a parser, that one alone and in this process.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

CORPUS = Path(__file__).with_name("corpus")
LONGEST = 4096  # bytes of one input; a workbook may be longer
LONGER = {"workbook": 64 * 1024, "table": 16 * 1024}
AT_LENGTH = Path(__file__).with_name("at_length.py")
NAMES = ("amount", "cursor", "token", "payload", "workbook", "table", "archive", "cookie", "id_token", "body", "form")


def one(name: str, seconds: int) -> None:
    """Fuzz one parser here; libFuzzer ends the process. What breaks it is written down as `crash-…` in the folder."""
    import atheris  # late: there is none but on Linux

    ours = ["api", "models", "runtime", "activities"]
    with atheris.instrument_imports(include=ours):  # pyright: ignore[reportAttributeAccessIssue] - found at run time
        from tests.hostile.parsers import PARSERS
    found = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
    most = LONGER.get(name, LONGEST)
    flags = [f"-max_total_time={seconds}", f"-max_len={most}", f"-artifact_prefix={found}/", "-timeout=30"]
    atheris.Setup([name, *flags, "-rss_limit_mb=2048", str(found), str(CORPUS / name)], PARSERS[name])
    atheris.Fuzz()


def everything(seconds: int) -> int:
    """Each for so many seconds; the number of what failed."""
    runs = [[sys.executable, "-m", "tests.hostile.fuzz", str(seconds), name] for name in NAMES]
    runs.append([sys.executable, "-m", "pytest", str(AT_LENGTH), "-q", "-n", "0", f"--fuzz-seconds={seconds}"])
    failed = 0
    for run in runs:
        print(" ".join(run[1:]), flush=True)  # noqa: T201 - a command
        failed += subprocess.run(run, check=False).returncode != 0
    return failed


if __name__ == "__main__":
    for_so_long = int(sys.argv[1])
    if len(sys.argv) > 2:
        one(sys.argv[2], for_so_long)
    sys.exit(everything(for_so_long))
