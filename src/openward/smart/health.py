"""What can be wrong with apps that nobody would see until one of them is refused."""

from __future__ import annotations

from openward.record.health import health_check


@health_check("smart-keys", title="Keys that sign who apps are told a person is")
def signing_keys() -> str | None:
    from joserfc.errors import JoseError

    from openward.smart import signing

    try:
        signing.sign({"iss": "health"})
    except (OSError, JoseError, ValueError, KeyError) as trouble:
        return f"No id_token can be signed ({type(trouble).__name__}): apps that ask who their user is are not let in. See the folder smart-keys."
    return None
