"""Commands, processes and files of the machine that the lab is on."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path


class LabError(Exception):
    """Something to tell the user, without a traceback."""


def run(*command, text=None):
    """Runs a command with a text as its input, and returns what it prints."""
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        raise LabError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def private_directory(path):
    """Makes a directory in a place where others may have made it first."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.is_symlink() or path.stat().st_uid != os.geteuid():
        raise LabError(f"{path} belongs to someone else")
    return path


def start_time(pid):
    """Returns what tells a process from another that has its number later, or None."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *rest = stat.rpartition(")")[2].split()
    return None if state in "ZX" else rest[18]


def end_processes(processes):
    """Ends processes, given as {pid: start time}: politely, then not."""

    def remaining():
        return [pid for pid, started in processes.items() if start_time(pid) == started]

    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in remaining():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + 2
        while remaining() and time.monotonic() < deadline:
            time.sleep(0.01)
