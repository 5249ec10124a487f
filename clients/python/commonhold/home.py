"""Where a node lives, and how its API is reached from there: found as the program finds it."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from .errors import NoNode, NotRunning

if sys.version_info >= (3, 11):
    import tomllib

    def _folder_in(text: str) -> object:
        return tomllib.loads(text).get("folder")

else:
    # There is no reader of TOML before: strings without escapes are all that a path needs.
    def _folder_in(text: str) -> object:
        found = re.search(r"""^folder\s*=\s*(["'])([^\\\n]*?)\1\s*(#.*)?$""", text, re.MULTILINE)
        return found[2] if found else None


#: Each of these files is one short line.
_BYTES_MAX = 256


@dataclass(frozen=True)
class Door:
    """Where a node listens, and what it wants to be shown."""

    host: str
    port: int
    token: str = field(repr=False)


def find(folder: str | os.PathLike[str] | None = None) -> Path:
    """The folder of the node that is meant: the one named, else that of the variable `COMMONHOLD_FOLDER`, else that of the
    key `folder` of `config.toml`, else the only one that `commonhold community join` has made."""
    named = folder or os.environ.get("COMMONHOLD_FOLDER") or _configured()
    if named:
        return Path(named)
    data = _xdg("XDG_DATA_HOME", ".local/share") / "commonhold"
    places = [data, *sorted(data.glob("*/node"))]
    nodes = [place for place in places if _is_node(place)]
    if len(nodes) > 1:
        names = ", ".join(map(str, nodes))
        raise NoNode(f"this account has several nodes: {names}", 'name one: Node.open("FOLDER")')
    return nodes[0] if nodes else data


def door(folder: Path) -> Door:
    """How the API of the node that runs in `folder` is reached. Both change when the node starts again."""
    # Whoever listens at an address that was left behind must not be shown the token.
    if not _runs(folder):
        if _is_node(folder):
            raise NotRunning(f"no node is running in {folder}", "start it: commonhold up")
        what_to_do = 'join a community first, or name another folder: Node.open("FOLDER")'
        raise NoNode(f"no node lives in {folder}", what_to_do)
    host, port = _address(folder)
    token = _line(folder / "api.token")
    if not re.fullmatch("[0-9a-fA-F]{64}", token):
        what_to_do = "delete the file and start the node again"
        raise NoNode(f"{folder / 'api.token'} holds no token", what_to_do)
    return Door(host, port, token)


def _runs(folder: Path) -> bool:
    """A node that runs holds a lock for as long as it does."""
    try:
        with open(folder / "lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        pass
    except OSError as why:
        raise _unusable(folder / "lock", why) from None
    return False


def _address(folder: Path) -> tuple[str, int]:
    line = _line(folder / "api.address")
    host, _, port = line.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        # The token is shown to this machine alone.
        if ipaddress.ip_address(host).is_loopback and 0 < int(port) < 1 << 16:
            return host, int(port)
    except ValueError:
        pass
    what_to_do = "stop the node and start it again: commonhold down, commonhold up"
    raise NoNode(f"{folder / 'api.address'} holds no address of this machine", what_to_do)


def _line(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(_BYTES_MAX).decode("ascii", "replace").strip()
    except FileNotFoundError:
        # The node is just starting or stopping.
        raise NotRunning(f"no node is running in {path.parent}", "start it: commonhold up") from None
    except OSError as why:
        raise _unusable(path, why) from None


def _unusable(path: Path, why: OSError) -> NoNode:
    what_to_do = "check the folder and its permissions: the node's owner alone may speak to it"
    return NoNode(f"cannot read {path}: {why.strerror}", what_to_do)


def _is_node(folder: Path) -> bool:
    return any((folder / name).exists() for name in ("keys.cbor", "joining.cbor"))


def _xdg(variable: str, default: str) -> Path:
    value = Path(os.environ.get(variable, ""))
    return value if value.is_absolute() else Path.home() / default


def _configured() -> str | None:
    """What `config.toml` says, if there is one."""
    named = os.environ.get("COMMONHOLD_CONFIG")
    path = Path(named) if named else _xdg("XDG_CONFIG_HOME", ".config") / "commonhold/config.toml"
    what_to_do = 'mend it, or name the node\'s folder: Node.open("FOLDER")'
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        if named:
            raise NoNode(f"COMMONHOLD_CONFIG names {path}, which is not there", what_to_do) from None
        return None
    except (OSError, UnicodeDecodeError):
        raise NoNode(f"cannot read {path}", what_to_do) from None
    try:
        value = _folder_in(text)
    except ValueError:
        raise NoNode(f"{path} is not TOML", what_to_do) from None
    return value if isinstance(value, str) else None
