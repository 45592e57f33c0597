"""What Django remembers of the request at hand (language, zone, prefix of addresses, database connection), in the thread's own storage.

Django keeps it where a coroutine would find it, too: that takes a lock and a context variable each time one of them is looked up, some four hundred
times for a chart. A page is answered by one thread from beginning to end, and what runs beside coroutines here looks up none of it across threads.
https://docs.python.org/3/library/threading.html#thread-local-data
"""

from __future__ import annotations

import threading

from django.db import DEFAULT_DB_ALIAS, connections
from django.urls import base
from django.utils import timezone
from django.utils.translation import trans_real

KEPT = ((trans_real, "_active"), (timezone, "_active"), (base, "_prefixes"), (base, "_urlconfs"), (connections, "_connections"))
"""Who holds each, and as what."""


def use_own_storage() -> None:
    """For while Django starts. What this thread has there already goes along."""
    for holder, name in KEPT:
        before = getattr(holder, name)
        if isinstance(before, threading.local):
            continue
        own = threading.local()
        for known in ("value", DEFAULT_DB_ALIAS):
            if hasattr(before, known):
                setattr(own, known, getattr(before, known))
        setattr(holder, name, own)
