"""Installation check: one finding per line, each with its remedy."""

import importlib
import importlib.util
import sys
from importlib.metadata import PackageNotFoundError, entry_points, version
from typing import Literal, NamedTuple

from explorer import __version__, settings
from explorer.errors import ExplorerError, PluginError
from explorer.plugins import GROUPS, package


class Finding(NamedTuple):
    """What was checked, its state (a `note` does not stop the app), and a message."""

    what: str
    state: Literal["ok", "note", "bad"]
    message: str


def examine() -> list[Finding]:
    """Check interpreter, packages, plug-ins, device, folders, checkpoints and data."""
    findings = [
        Finding("latent-explorer", "ok", f"{__version__} on Python {sys.version.split()[0]}")
    ]
    findings += [
        _package(name) for name in ("streamlit", "torch", "torchvision", "umap-learn", "plotly")
    ]
    plugged = _plugins()
    findings += [plugged, _device()]
    try:
        chosen = settings.current()
    except ExplorerError as error:
        return [*findings, Finding("folders", "bad", str(error))]
    if plugged.state == "bad":  # nothing that reads a recipe can be imported
        return [*findings, _pages(), _user(chosen), _data(chosen)]
    findings += [
        _pages(), _checkpoints(), _user(chosen), _candidates(chosen), _data(chosen), _air(),
        _xfoil(), _graphs(), _networks(),
    ]  # fmt: skip
    return findings


def _package(name: str) -> Finding:
    try:
        return Finding(name, "ok", version(name))
    except PackageNotFoundError:
        return Finding(name, "bad", "not installed; reinstall latent-explorer")


def _plugins() -> Finding:
    try:
        importlib.import_module("explorer.registry")
        from explorer.designs.measuring import families

        families()
    except PluginError as error:
        return Finding("plug-ins", "bad", str(error))
    names = [
        f"{point.name} ({what}) of {package(point)}"
        for group, what in GROUPS.items()
        for point in entry_points(group=group)
    ]
    return Finding("plug-ins", "ok", ", ".join(names) or "none")


def _device() -> Finding:
    from explorer.devices import resolve_device

    try:
        device = resolve_device(settings.current().device)
    except ExplorerError as error:
        return Finding("device", "bad", str(error))
    if device == "cpu":
        return Finding("device", "ok", "cpu; the shipped models need no GPU")
    import torch

    return Finding("device", "ok", torch.cuda.get_device_name(device))


def _pages() -> Finding:
    folder = settings.beside("pages")
    count = len(list(folder.glob("*.py"))) if folder.is_dir() else 0
    if count and importlib.util.find_spec("explorer.ui.entry.server"):
        return Finding("pages", "ok", f"{count} pages")
    return Finding("pages", "bad", f"none in {folder}; reinstall latent-explorer")


def _checkpoints() -> Finding:
    from explorer import catalogue

    entries = [entry for entry in catalogue() if not entry.results_only]
    broken = [entry for entry in entries if not entry.healthy]
    if len(broken) == len(entries):
        return Finding(
            "checkpoints",
            "bad",
            "none that is healthy; choose a folder with --checkpoints, or train one",
        )
    if broken:
        message = (
            f"{len(entries) - len(broken)} healthy; {broken[0].slug} is broken: {broken[0].reason}"
        )
        return Finding("checkpoints", "note", message)
    return Finding("checkpoints", "ok", f"{len(entries)} healthy")


def _user(chosen: settings.Settings) -> Finding:
    probe = chosen.user / ".probe"
    try:
        chosen.user.mkdir(parents=True, exist_ok=True)
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        return Finding(
            "user folder",
            "note",
            f"{chosen.user} is not writable ({error.strerror}); results will be lost",
        )
    return Finding("user folder", "ok", str(chosen.user))


def _candidates(chosen: settings.Settings) -> Finding:
    from explorer.designs.candidates import FILE, Store

    path = chosen.user / FILE
    if not path.is_file():
        return Finding("candidates", "ok", "none yet")
    try:
        store = Store(path)
        picks, projects = store.totals()
        store.close()
    except ExplorerError as error:
        return Finding("candidates", "note", str(error))
    return Finding("candidates", "ok", f"{picks:,} picks in {projects} projects")


def _air() -> Finding:
    from explorer.designs import aerodynamics

    if aerodynamics.available():
        return Finding("neuralfoil", "ok", version("neuralfoil"))
    return Finding(
        "neuralfoil",
        "note",
        'not installed; required for lift and drag: pip install -e ".[airfoil]"',
    )


def _xfoil() -> Finding:
    from explorer.designs import xfoil

    if not xfoil.available():
        return Finding(
            "xfoil", "note", "not on the path; it verifies lift and drag: apt install xfoil"
        )
    found = xfoil.version()
    if found is None:
        return Finding("xfoil", "note", "it does not start; reinstall it: apt install xfoil")
    return Finding("xfoil", "ok", f"{found}, at most {xfoil.AT_ONCE} at once")


def _graphs() -> Finding:
    from explorer.runtime import verdicts

    if verdicts.available():
        return Finding("onnxruntime", "ok", version("onnxruntime"))
    return Finding(
        "onnxruntime",
        "note",
        'not installed; required for models trained elsewhere: pip install -e ".[onnx]"',
    )


def _networks() -> Finding:
    from explorer.designs.measuring import networks

    known = networks()
    off = next((item for item in known if item.family is None), None)
    if off is not None:
        return Finding("properties", "note", f"{off.key} is off: {off.reason}")
    return Finding("properties", "ok", ", ".join(item.key for item in known) or "none installed")


def _data(chosen: settings.Settings) -> Finding:
    known = ("MNIST", "MNIST_static", "Airfoils")
    found = [name for name in known if (chosen.data / name).is_dir()]
    if found:
        return Finding("data", "ok", f"{', '.join(found)} in {chosen.data}")
    return Finding(
        "data", "note", f"none in {chosen.data}; needed only to train and evaluate beyond digits"
    )
