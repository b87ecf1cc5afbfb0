"""Addresses of storage: s3://BUCKET/NAME, gs://BUCKET/NAME, file:///FOLDER. They never hold credentials."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from agon.errors import SettingError
from agon.untrusted import shortened

SCHEMES = ("s3", "gs", "file")
OPTIONS = ("endpoint_override", "region", "scheme")  # what an address may say after a question mark, as in pyarrow
EXPECTED = "expected s3://BUCKET/NAME, gs://BUCKET/NAME or file:///FOLDER"
CREDENTIALS = (
    "expected an address of storage without credentials, got one with a user or a key in it; agon takes credentials "
    "from the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, GOOGLE_APPLICATION_CREDENTIALS) "
    "or from the machine's role"
)
_FORM = re.compile(rf"({'|'.join(SCHEMES)}):(/+)([^?]*)(?:\?(.*))?", re.DOTALL)  # a Path makes one slash of several


def is_address(text: object) -> bool:
    """Whether this is an address of storage rather than a path.

    >>> is_address("s3://bucket/runs/digits"), is_address("file:///mnt/runs"), is_address("runs/s3")
    (True, True, False)
    """
    return re.match(rf"({'|'.join(SCHEMES)}):/", str(text)) is not None


@dataclass(frozen=True)
class Address:
    """Where objects are stored.

    Attributes:
        kind: "s3", "gs" or "file".
        place: "BUCKET/NAME", or an absolute path.
        options: options of S3: endpoint_override, region, scheme.

    >>> print(Address.read("s3://bucket/runs/") / "seed-0")
    s3://bucket/runs/seed-0
    """

    kind: str
    place: str
    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(cls, text: object) -> "Address":
        """Read an address.

        Raises:
            SettingError: it is none, or holds credentials.
        """
        match = _FORM.fullmatch(str(text))
        if match is None:
            raise SettingError(f"storage: {EXPECTED}, got {shortened(str(text))!r}")
        kind, slashes, place, query = match.groups()
        options = tuple(sorted(parse_qsl(query or "", keep_blank_values=True)))
        if "@" in place.partition("/")[0] or any(_secret(name) for name, _ in options):
            raise SettingError(f"storage: {CREDENTIALS}")
        if kind == "file" and len(slashes) == 2:
            raise SettingError(f"storage: {EXPECTED}, got {shortened(str(text))!r}; three slashes begin a path")
        unknown = [name for name, _ in options if kind != "s3" or name not in OPTIONS]
        parts = [part for part in place.split("/") if part]
        if unknown or not parts or {".", ".."} & set(parts) or not place.isprintable():
            known = f"; after a question mark S3 takes {', '.join(OPTIONS)}" if unknown else ""
            raise SettingError(f"storage: {EXPECTED}, got {shortened(str(text))!r}{known}")
        return cls(kind, ("/" if kind == "file" else "") + "/".join(parts), options)

    def __truediv__(self, name: str) -> "Address":
        return Address(self.kind, f"{self.place}/{name}", self.options)

    def __str__(self) -> str:
        query = f"?{urlencode(self.options, safe=':/')}" if self.options else ""
        return f"{self.kind}://{self.place}{query}"

    @property
    def digest(self) -> str:
        """A word that no other address has, for the name of a folder."""
        return hashlib.sha256(str(self).encode()).hexdigest()[:16]

    @property
    def name(self) -> str:
        """The last part of the address."""
        return Path(self.place).name


def _secret(name: str) -> bool:
    return any(
        word in name.lower() for word in ("key", "secret", "token", "password", "credential", "signature", "sas")
    )
