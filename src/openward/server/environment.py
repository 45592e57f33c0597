"""Every `OPENWARD_*` variable, in one place, with what it means. `docs/configuration.md` lists them; a test fails when one is missing there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True)
class Variable:
    name: str
    default: str
    meaning: str

    @property
    def value(self) -> str:
        return os.environ.get(self.name, self.default)

    @property
    def is_on(self) -> bool:
        return self.value.lower() in ("1", "true", "yes", "on")

    @property
    def number(self) -> int:
        """Raises ImproperlyConfigured."""
        if not self.value.isdecimal():
            raise ImproperlyConfigured(f"{self.name} is not a whole number")
        return int(self.value)

    @property
    def items(self) -> list[str]:
        return [item.strip() for item in self.value.split(",") if item.strip()]


DATA = Variable("OPENWARD_DATA", ".data", "The data folder: the embedded database, keys, files, the outbox. `--data` sets it.")
DATABASE_URL = Variable(
    "OPENWARD_DATABASE_URL", "", "A PostgreSQL 15–18 database to use instead of the embedded one: postgresql://user:password@host:port/name."
)
DATABASE_OWNER_URL = Variable(
    "OPENWARD_DATABASE_OWNER_URL",
    "",
    "The same database as the user who owns its tables, for migrations and `openward audit`; daily work is then done by the user of OPENWARD_DATABASE_URL, "
    "who is granted what it needs and no more. The embedded database has two such users by itself. Default: one user for everything.",
)
DATABASE_ROLE = Variable(
    "OPENWARD_DATABASE_ROLE",
    "",
    "User of the embedded database. Set by `openward serve` and the other commands for themselves: openward_app, who owns nothing. Default: the owner.",
)
RESERVE_MB = Variable(
    "OPENWARD_RESERVE_MB",
    "200",
    "Megabytes of the data folder's disk that are kept for reading: with less free, nothing new is stored (507) until there is room, "
    "since a database that cannot write its log stops altogether.",
)
SHARED_BUFFERS = Variable(
    "OPENWARD_SHARED_BUFFERS", "", "Memory of the embedded database, such as 512MB. Default: an eighth of the machine's, 64 MB to 2 GB."
)
SECRET_KEY = Variable("OPENWARD_SECRET_KEY", "", "The key that signs sessions and links. Default: made once and kept in the data folder.")
KEK_FILES = Variable(
    "OPENWARD_KEK_FILES",
    "",
    "Files of the outer keys (64 hexadecimal digits), separated by commas: the first wraps data keys and backups, all unwrap. "
    "Default: outer.key in the data folder, made once; keep it elsewhere, and a copy apart from the backups.",
)
KMS = Variable(
    "OPENWARD_KMS",
    "",
    "Adapter of a key service that wraps data keys instead of the first file: openward.keys.services.vault.Transit (HashiCorp Vault, OpenBao), or package.Class.",
)
VAULT_ADDRESS = Variable("OPENWARD_VAULT_ADDRESS", "", "Address of Vault or OpenBao: https://vault.example:8200; http only on this machine.")
VAULT_KEY = Variable("OPENWARD_VAULT_KEY", "transit/openward", "Mount of its Transit engine, and the key in it (aes256-gcm96).")
VAULT_TOKEN_FILE = Variable("OPENWARD_VAULT_TOKEN_FILE", "", "File of the token, as Vault Agent keeps it fresh; read anew for every request.")
VAULT_CA_FILE = Variable("OPENWARD_VAULT_CA_FILE", "", "Certificates its own is checked by, as PEM. Default: the system's.")
VAULT_NAMESPACE = Variable("OPENWARD_VAULT_NAMESPACE", "", "Namespace, where there is one.")
BACKUPS = Variable(
    "OPENWARD_BACKUPS",
    "",
    "Folder of encrypted backups, best on another machine's disk. Once it is set, backups are made every five minutes and proved every night. "
    "Default: `backups` in the data folder, and only when `openward backup` is run.",
)
BACKUP_STORE = Variable(
    "OPENWARD_BACKUP_STORE", "", "Adapter that keeps backups elsewhere: openward.backup.s3.Bucket, or package.Class. Default: the folder."
)
BUCKET = Variable(
    "OPENWARD_BUCKET", "", "Address of the bucket for backups: https://NAME.s3.REGION.amazonaws.com/PREFIX, or https://HOST/NAME/PREFIX."
)
BUCKET_REGION = Variable("OPENWARD_BUCKET_REGION", "us-east-1", "Region of the bucket.")
BUCKET_KEY_ID = Variable("OPENWARD_BUCKET_KEY_ID", "", "Access key id for the bucket.")
BUCKET_SECRET_FILE = Variable("OPENWARD_BUCKET_SECRET_FILE", "", "File of the secret that belongs to it.")
HOSTS = Variable("OPENWARD_HOSTS", "localhost,127.0.0.1,[::1]", "Host names this server answers to, separated by commas.")
ORIGINS = Variable("OPENWARD_ORIGINS", "", "Origins (https://name) that forms may be posted from when a proxy ends TLS, separated by commas.")
HTTPS = Variable("OPENWARD_HTTPS", "0", "1 when people reach the server by HTTPS: cookies are marked secure and HSTS is sent.")
LIVE_URL = Variable("OPENWARD_LIVE_URL", "", "Address of the live updates as the browser sees it. Default: the same host, the next port.")
DEMO = Variable(
    "OPENWARD_DEMO",
    "0",
    "1 on a demo instance: the persona switcher and the design page exist. Set by `openward serve` when the data came from `openward demo`.",
)
DEBUG = Variable("OPENWARD_DEBUG", "0", "1 while developing: Django's debug pages. Never with real patients.")
CHANNELS = Variable(
    "OPENWARD_CHANNELS", "", "Adapters that deliver messages: email=package.Class,sms=package.Class. Default: files in the data folder."
)
CARD_PROCESSOR = Variable(
    "OPENWARD_CARD_PROCESSOR", "", "Adapter that charges cards: package.Class. Default: the test processor, which moves no money."
)
TIME_ZONE = Variable("OPENWARD_TIME_ZONE", "America/New_York", "Time zone pages use where no facility's own applies; an IANA name.")
SESSION_MINUTES = Variable("OPENWARD_SESSION_MINUTES", "30", "Minutes without a request after which a person must sign in again.")
PROXIES = Variable(
    "OPENWARD_PROXIES",
    "",
    "Addresses or networks of your own reverse proxies, separated by commas: 10.0.0.5,10.1.0.0/16. What they say in X-Forwarded-For or Forwarded is then the "
    "address of who asks, for pages, /fhir, the trail and limits by address, and what they say in X-Forwarded-Proto or proto= is how they were reached. "
    "Default: none is believed; with OPENWARD_HTTPS=1, one on this machine.",
)
LOCK_MINUTES = Variable("OPENWARD_LOCK_MINUTES", "15", "Minutes without a request after which the screen is hidden and asks who is there; 0: never.")
MFA_ROLES = Variable(
    "OPENWARD_MFA_ROLES",
    "",
    "Roles that sign in with a second factor or a passkey only, separated by commas; `staff` is everyone who is no patient, `none` nobody. "
    "Default: staff, and on a demo instance nobody.",
)
BREACHED_PASSWORDS = Variable(
    "OPENWARD_BREACHED_PASSWORDS",
    "",
    "Passwords known from breaches, which nobody may choose: a file of SHA-1 digests in hexadecimal, sorted, one a line with or without `:count`, or a folder "
    "of files named by the first five digits that hold the rest. Nothing is asked of the network. Default: the 20,000 most common only.",
)
STATION_HOURS = Variable(
    "OPENWARD_STATION_HOURS", "12", "Hours after a whole sign-in at a shared workstation during which a person may come back there with their PIN."
)
SIGN_IN_ELSEWHERE = Variable(
    "OPENWARD_SIGN_IN_ELSEWHERE", "", "A JSON file of OpenID Connect providers people may sign in with; see docs/signing-in.md. Default: none."
)
PUBLIC_URL = Variable("OPENWARD_PUBLIC_URL", "http://127.0.0.1:8000", "Where patients reach this server; used in links that leave by mail or text.")
AUDIT_ANCHORS = Variable(
    "OPENWARD_AUDIT_ANCHORS",
    "file",
    "Where the digests of the audit trail's seals are kept outside the database, separated by commas: file, syslog:/dev/log, syslog:HOST:PORT, https://….",
)
EXPORT_HOURS = Variable("OPENWARD_EXPORT_HOURS", "24", "Hours after which the files of a finished bulk export are removed.")
EXPORTS_AT_ONCE = Variable("OPENWARD_EXPORTS_AT_ONCE", "3", "Unfinished bulk exports a client may have at once.")
IMPORT_HOSTS = Variable(
    "OPENWARD_IMPORT_HOSTS", "", "Hosts `$import` may fetch files from, separated by commas. Default: none, files come as Binary."
)
VALIDATE_PROFILES = Variable(
    "OPENWARD_VALIDATE_PROFILES",
    "versioned",
    "Which profiles in meta.profile a write must keep: off (none), versioned (those named with their version, `…|6.1.0`, and those of a guide "
    "known in one version only), declared (all that are known here).",
)
PROFILES = Variable(
    "OPENWARD_PROFILES",
    "",
    "Profiles that every write of a type must keep besides, separated by commas: Patient=http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|6.1.0.",
)
GUIDES = Variable(
    "OPENWARD_GUIDES",
    "hl7.fhir.us.core#6.1.0",
    "Guides that profiles named without a version mean, the first that has it, separated by commas; then what was installed last.",
)
PRIVATE_TARGETS = Variable(
    "OPENWARD_PRIVATE_TARGETS",
    "",
    "Private or loopback networks that subscriptions and `$import` may reach all the same: 10.1.0.0/16,127.0.0.1. Default: none.",
)
SMART_TOKEN_MINUTES = Variable("OPENWARD_SMART_TOKEN_MINUTES", "60", "Minutes an app's access token works; a program's own works five.")
SMART_REFRESH_DAYS = Variable("OPENWARD_SMART_REFRESH_DAYS", "90", "Days an app with `offline_access` may stay away before it must be let in again.")
SMART_LONGEST_DAYS = Variable(
    "OPENWARD_SMART_LONGEST_DAYS", "365", "Days after which an app with `offline_access` must be let in again, however often it came."
)
OAUTH_PER_MINUTE = Variable(
    "OPENWARD_OAUTH_PER_MINUTE",
    "1200",
    "Requests a minute that one client may make from one address at each of /oauth/token, /oauth/introspect and /oauth/revoke; all clients of an address three times as many. "
    "Then 429 with Retry-After.",
)
SMART_REGISTRATION = Variable(
    "OPENWARD_SMART_REGISTRATION", "0", "1 lets apps register themselves (RFC 7591); each still waits for an administrator's approval."
)

VARIABLES = tuple(entry for entry in list(globals().values()) if isinstance(entry, Variable))


def data_folder() -> Path:
    return Path(DATA.value).expanduser().resolve()


def kek_files() -> list[Path]:
    return [Path(item).expanduser().resolve() for item in KEK_FILES.items] or [data_folder() / "outer.key"]


def channels() -> dict[str, str]:
    pairs = (item.partition("=") for item in CHANNELS.items)
    return {name.strip(): path.strip() for name, _, path in pairs}
