"""Plug-ins of other packages, found by entry points: priors, models, data, properties.

A package declares its class in its own `pyproject.toml`:

    [project.entry-points."latent_explorer.priors"]
    laplace = "my_package:LaplaceConfig"
"""

import inspect
import re
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Literal, TypeVar, get_args

from explorer.errors import PluginError
from explorer.interfaces import AbstractConfig

GROUPS = {
    "latent_explorer.priors": "prior",
    "latent_explorer.models": "model",
    "latent_explorer.data": "data set",
    "latent_explorer.properties": "family of properties",
}
"""Groups of entry points, and the noun for a plug-in of each."""

RESERVED = ("none",)
"""Kinds with a meaning of their own: a plain autoencoder's prior is called `none`."""

_KIND = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LONGEST = 40

_Base = TypeVar("_Base")
_Config = TypeVar("_Config", bound=AbstractConfig)


def classes(group: str, base: type[_Base]) -> Iterator[tuple[EntryPoint, type[_Base]]]:
    """Load plugged-in classes, sorted by package and name.

    Args:
        group: One of `GROUPS`.
        base: What each must derive from.

    Raises:
        PluginError: If one cannot be loaded or has the wrong type; the message names its package.
    """
    for point in sorted(entry_points(group=group), key=lambda point: (package(point), point.name)):
        try:
            found = point.load()
        except Exception as error:
            raise refusal(point, f"cannot be loaded ({' '.join(str(error).split())})") from error
        if not (inspect.isclass(found) and issubclass(found, base)):
            raise refusal(point, f"is not a subclass of {base.__name__}")
        if missing := sorted(getattr(found, "__abstractmethods__", ())):
            raise refusal(point, f"does not define {', '.join(missing)}")
        yield point, found


def kinds(
    group: str, base: type[_Config], own: tuple[type[_Config], ...]
) -> tuple[type[_Config], ...]:
    """Return the configs of a registry: the built-in ones, then the plug-ins.

    Raises:
        PluginError: If a plugged-in config is unusable; the message names its package.
    """
    known = {kind_of(config): config for config in own}
    for point, config in classes(group, base):
        kind = kind_of(config)
        if kind is None:
            raise refusal(point, 'needs a kind, as in `kind: Literal["laplace"] = "laplace"`')
        if not _KIND.fullmatch(kind) or len(kind) > _LONGEST:
            raise refusal(
                point,
                f"has the kind {kind[:60]!r}, which is not a plain lowercase word like laplace-2",
            )
        if kind in known or kind in RESERVED:
            raise refusal(point, f"has the kind “{kind}”, which is already taken")
        title = getattr(config, "title", "")
        if not (isinstance(title, str) and title.strip() and title.isprintable()):
            raise refusal(point, 'needs a title, as in `title: ClassVar[str] = "Laplace"`')
        for name in config.needs:
            if name not in config.model_fields and not hasattr(config, name):
                raise refusal(point, f"does not define {name}")
        known[kind] = config
    return tuple(known.values())


def kind_of(config: type[AbstractConfig]) -> str | None:
    """Return a config's kind, or None if it is not a single literal."""
    field = config.model_fields.get("kind")
    if field is None:
        return None
    words = get_args(field.annotation)
    literal = getattr(field.annotation, "__origin__", None) is Literal
    return field.default if literal and words == (field.default,) else None


def package(point: EntryPoint) -> str:
    """Return the name of an entry point's package."""
    return point.dist.name if point.dist is not None else point.module.partition(".")[0]


def refusal(point: EntryPoint, why: str) -> PluginError:
    """Return an error that says in one sentence why a plug-in cannot be used."""
    what, whose = GROUPS[point.group], package(point)
    return PluginError(
        f"The {what} “{point.name}” of the package {whose} {why}; fix or uninstall {whose}."
    )
