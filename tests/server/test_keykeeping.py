"""`openward keys`, as an operator uses it: a new outer key, and everything moved under it."""

from __future__ import annotations

from dataclasses import replace

from tests.installation import Installation

SEAL = "from openward.keys.sealing import seal; print(seal('test', 'JBSWY3DP'))"


def unseal(sealed: str) -> str:
    return f"from openward.keys.sealing import unseal; print(unseal('test', {sealed!r}))"


def test_an_outer_key_is_made_everything_moves_under_it_and_the_old_one_can_go(installation: Installation) -> None:
    from openward.cluster import EmbeddedCluster

    assert installation.openward("check").returncode == 0
    cluster = EmbeddedCluster(installation.data)
    cluster.start()
    try:
        sealed = installation.python(SEAL).strip()
        new, old = installation.data / "new.key", installation.data / "outer.key"
        assert "Keep a copy apart from the backups" in installation.openward("keys", "new", str(new)).stdout
        rotated = replace(installation, settings={"OPENWARD_KEK_FILES": f"{new},{old}"}).openward("keys", "rotate")
        assert rotated.stdout.splitlines()[0].startswith("1 data keys moved under the outer key"), rotated.stderr
        after = replace(installation, settings={"OPENWARD_KEK_FILES": str(new)})
        assert after.python(unseal(sealed)).strip() == "JBSWY3DP"
        listed = after.openward("keys", "list").stdout
        assert (listed.count("retired"), listed.count("seals")) == (1, 1)
    finally:
        cluster.stop()


def test_an_outer_key_is_never_overwritten(installation: Installation) -> None:
    path = installation.data / "a.key"
    installation.openward("keys", "new", str(path))
    before = path.read_text()
    again = installation.openward("keys", "new", str(path))
    assert (again.returncode, path.read_text()) == (1, before)
    assert "never overwritten" in again.stderr
