"""Run commands and code as a reader of the pages does."""

import contextlib
import logging
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from rnass import cli

ROOT = Path(__file__).parents[1]
SCRIPTS = Path(sys.executable).parent
SHELL = set("|<>$*;&")


def run(command, cwd):
    """Run a command with this environment's scripts and this checkout; it must succeed."""
    path = f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"
    fixed = {"PATH": path, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg", "NO_COLOR": "1"}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **fixed},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


@contextlib.contextmanager
def own_process():
    """What a command sets for its whole process is put back: log handlers and levels."""
    root, own = logging.getLogger(), logging.getLogger("rnass")
    handlers, levels = root.handlers[:], (root.level, own.level)
    root.handlers[:] = []  # the command closes those it finds
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(levels[0])
        own.setLevel(levels[1])


def run_line(line, cwd):
    """Run a line of a shell; it must succeed. `rnass ...` alone runs in this process: it is quicker."""
    words = shlex.split(line)
    if words[0] != "rnass" or SHELL & set(line):
        run(["bash", "-c", line], cwd)
        return
    with pytest.MonkeyPatch.context() as patch, own_process():
        patch.chdir(cwd)
        patch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as left:
            cli.main()
    assert not left.value.code, line


def run_python(code, cwd):
    """Run Python as typed into a new interpreter, but in this process, which has imported torch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        patch.setenv("PATH", f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("PYTHONPATH", str(ROOT))
        exec(compile(code, "page", "exec"), {"__name__": "__main__"})
