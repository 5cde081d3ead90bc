"""Folders and device; the only place that reads the environment.

Precedence: command-line flags (which set the variables for the server they start), then
`LATENT_EXPLORER_*`, then defaults.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from explorer.errors import SettingsError

PACKAGE = Path(__file__).resolve().parent
"""The folder of the installed package."""

VARIABLES = {
    "checkpoints": "LATENT_EXPLORER_CHECKPOINTS",
    "data": "LATENT_EXPLORER_DATA",
    "user": "LATENT_EXPLORER_USER",
    "device": "LATENT_EXPLORER_DEVICE",
    "allow_host": "LATENT_EXPLORER_ALLOW_HOST",
    "allow_work": "LATENT_EXPLORER_ALLOW_WORK",
}


@dataclass(frozen=True)
class Settings:
    """Folders and device of this process."""

    checkpoints: Path
    data: Path
    user: Path
    device: str


def beside(name: str) -> Path:
    """Find a folder shipped with the package: inside it in a wheel, beside it in a checkout."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


def current() -> Settings:
    """Read the settings of this process.

    Raises:
        SettingsError: If a folder named by a variable does not exist.
    """
    user = _folder("user", Path(platformdirs.user_data_dir("latent-explorer")), must_exist=False)
    return Settings(
        checkpoints=_folder("checkpoints", beside("checkpoints")),
        data=_folder("data", user / "data", must_exist="LATENT_EXPLORER_DATA" in os.environ),
        user=user,
        device=os.environ.get(VARIABLES["device"], "auto"),
    )


def allowed_hosts(flags: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Read the further names of the server, as they were written.

    Args:
        flags: Variables that take precedence over those of this process.
    """
    text = (os.environ | (flags or {})).get(VARIABLES["allow_host"], "")
    return tuple(text.replace(",", " ").split())


def allows_work() -> bool:
    """Whether visitors of a server that others can reach may start training."""
    return os.environ.get(VARIABLES["allow_work"], "") == "1"


def environment() -> dict[str, str]:
    """Return the environment for a child process with the same folders as this one."""
    return os.environ | {VARIABLES["user"]: str(current().user)}


def variables(**flags: str | Path | None) -> dict[str, str]:
    """Translate flags into the environment of a server to be started.

    Raises:
        SettingsError: If a folder does not exist.
    """
    chosen = {}
    for name, value in flags.items():
        if value is None:
            continue
        if name in ("checkpoints", "data"):
            _existing(Path(value), f"--{name}")
            value = Path(value).resolve()
        chosen[VARIABLES[name]] = str(value)
    return chosen


def _folder(name: str, default: Path, must_exist: bool = True) -> Path:
    variable = VARIABLES[name]
    value = os.environ.get(variable)
    if value is None:
        return default
    path = Path(value).expanduser()
    return _existing(path, variable) if must_exist else path


def _existing(path: Path, name: str) -> Path:
    if not path.is_dir():
        raise SettingsError(
            f"{name} is set to {path}, which is not a folder; create it or choose another."
        )
    return path
