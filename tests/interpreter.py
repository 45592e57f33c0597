"""A Python process with an installation's Django set up, which forks for each few lines it is given: starting one takes a second and more."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 180

# The lines of one run end in the child that ran them, whatever they did to it; this process has no connection of its own to lose.
FORKS = """
import json, os, sys, tempfile, traceback
import django
django.setup()
asked, told = sys.stdin, os.fdopen(os.dup(1), "w")
for line in asked:
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = os.fork()
        if not child:
            os.dup2(out.fileno(), 1), os.dup2(err.fileno(), 2)
            status = 1
            try:
                exec(compile(json.loads(line), "<test>", "exec"), {"__name__": "__main__"})
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush(), sys.stderr.flush()
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps([status, *(os.pread(file.fileno(), 1 << 24, 0).decode(errors="replace") for file in (out, err))]), file=told, flush=True)
"""


class Interpreter:
    """One for each data folder and environment, as long as the folder is served or there."""

    running: ClassVar[dict[tuple[Path, str], Interpreter]] = {}

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", FORKS], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    @classmethod
    def of(cls, data: Path, environment: dict[str, str]) -> Interpreter:
        key = (data, json.dumps(environment, sort_keys=True))
        if key not in cls.running:
            cls.running[key] = cls(environment)
        return cls.running[key]

    @classmethod
    def end_all(cls, folder: Path) -> None:
        """Those of this data folder, or of data folders in it."""
        for key in [key for key in cls.running if key[0].is_relative_to(folder)]:
            cls.running.pop(key).end()

    def run(self, code: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(code) + "\n")
        self.process.stdin.flush()
        assert select.select([self.process.stdout], [], [], SECONDS)[0], f"still running after {SECONDS} seconds"
        answer = self.process.stdout.readline()
        assert answer, f"the interpreter ended with status {self.process.wait()}"
        status, out, err = json.loads(answer)
        assert status == 0, err or f"exit status {status}"
        return str(out)

    def end(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self.process.wait()
