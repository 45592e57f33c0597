"""The settings of a test run: the product's own, over a scratch folder that exists before anything reads it; each worker has one of its own in it."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("OPENWARD_SHARED_BUFFERS", "256MB")
os.environ.setdefault("OPENWARD_DEMO", "1")
if "OPENWARD_TEST_FOLDER" not in os.environ:
    os.environ["OPENWARD_TEST_FOLDER"] = tempfile.mkdtemp(prefix="openward-test-")
os.environ["OPENWARD_DATA"] = os.path.join(os.environ["OPENWARD_TEST_FOLDER"], os.environ.get("PYTEST_XDIST_WORKER", "alone"))

from django.contrib.auth.hashers import Argon2PasswordHasher  # noqa: E402

from openward.server.settings import *  # noqa: E402, F403 - the folder must be known first

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
INSTALLED_APPS += ["allauth.socialaccount.providers.openid_connect"]  # noqa: F405 - tests of sign-in elsewhere name their providers later
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405 - WhiteNoise warns of a folder that is not there


class QuickArgon2(Argon2PasswordHasher):
    """The product's own way of hashing at the least price Argon2 knows: a real hash takes a third of a second of a processor, by design.

    That installations pay the real price is held by tests/accounts/test_hashing.py.
    """

    time_cost = 1
    memory_cost = 64
    parallelism = 8


PASSWORD_HASHERS = ["tests.settings.QuickArgon2"]
