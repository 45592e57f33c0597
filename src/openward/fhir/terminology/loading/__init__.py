"""`openward terminology load`: licensed and public releases, in the files their publishers give, into the tables all tenants share."""

from __future__ import annotations
