"""The settings of a test run: the product's own, over a scratch folder that exists before anything reads it."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("OPENWARD_SHARED_BUFFERS", "256MB")
os.environ.setdefault("OPENWARD_DEMO", "1")
os.environ.setdefault("OPENWARD_TEST_FOLDER", tempfile.mkdtemp(prefix="openward-test-"))
os.environ["OPENWARD_DATA"] = os.environ["OPENWARD_TEST_FOLDER"]

from openward.server.settings import *  # noqa: E402, F403 - the folder must be known first

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405 - WhiteNoise warns of a folder that is not there
