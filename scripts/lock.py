"""Write the lock files: exact versions with hashes, no index addresses. `make lock` after a change of dependencies."""

from __future__ import annotations

import subprocess
import sys

COMMON = [
    "--quiet",
    "--generate-hashes",
    "--strip-extras",
    "--allow-unsafe",
    "--no-emit-options",
    "--no-header",
]


def compile_lock(output: str, *more: str, source: str = "pyproject.toml") -> None:
    command = [sys.executable, "-m", "piptools", "compile", *COMMON, *more, "--output-file", output, source]
    subprocess.run(command, check=True)  # noqa: S603


if __name__ == "__main__":
    compile_lock("requirements.lock", "--all-build-deps", "--no-annotate")
    compile_lock("requirements-test.lock", "--extra", "test", "--all-build-deps", "--no-annotate")
    compile_lock("tests/clients.lock", "--no-annotate", source="tests/clients.in")
