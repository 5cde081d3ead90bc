"""The command line, in this process or its own."""

import importlib.util
import os
import subprocess
import sys

from typer.main import get_command

from explorer import settings
from explorer.config import RunConfig


def _command_line():
    """Load the module past the type checker: typer hands out another Context than it declares."""
    spec = importlib.util.spec_from_file_location("command_line", settings.PACKAGE / "cli.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


cli = _command_line()

COMMAND = get_command(cli.app)


def apart(*words, code=None):
    """Run it in a process of its own."""
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "explorer.cli"]
    return subprocess.run(
        [*command, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ,
    )


def recipe(**model):
    return RunConfig.model_validate(
        {
            "data": {"kind": "digits"},
            "model": {"kind": "vae", "latent": 2, "hidden": [8]} | model,
            "prior": {"kind": "mog", "components": 3},
            "training": {"epochs": 1},
            "sketch": {"kind": "pixels", "height": 8, "width": 8},
        }
    )


def assert_one_sentence(code, out, err):
    assert code == 2
    assert len(err.splitlines()) == 1, err
    assert err.startswith("latent-explorer: ")
    assert err.rstrip().endswith(".")
    assert "Traceback" not in out + err


def file(path, content="{}"):
    path.write_text(content)
    return path
