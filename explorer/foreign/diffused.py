"""Folders of diffusers: an AutoencoderKL whose weights are safetensors."""

import json
from pathlib import Path
from typing import Any

from explorer.config import one_line
from explorer.errors import ExportError

CONFIG, WEIGHTS = "config.json", "diffusion_pytorch_model.safetensors"
KIND = "AutoencoderKL"
_MOST_BYTES = 1_000_000


def folder_of(source: Path) -> Path | None:
    """Find the folder of an autoencoder: itself, or `vae` in that of a pipeline; None if neither.

    Raises:
        ExportError: If it is of another class, or its weights are not safetensors.
    """
    for place in (source, source / "vae"):
        path = place / CONFIG
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            continue
        try:
            found = json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            continue
        kind = found.get("_class_name") if isinstance(found, dict) else None
        if kind is None:
            continue
        if kind != KIND:
            raise ExportError(
                f"{source} holds a {one_line(str(kind), 60)} of diffusers; {KIND} is imported. "
                "Call `explorer.export_model` in a script for any other."
            )
        if not (place / WEIGHTS).is_file():
            raise ExportError(
                f"{place} has no {WEIGHTS}; save the model by "
                "`model.save_pretrained(folder, safe_serialization=True)`. Nothing is unpickled."
            )
        return place
    return None


def opened(place: Path) -> Any:  # noqa: ANN401 - diffusers may not be installed
    """Build the network by diffusers, from the files of a folder alone.

    Raises:
        ExportError: If diffusers is missing, or cannot build it.
    """
    try:
        from diffusers import AutoencoderKL
    except ImportError as error:
        raise ExportError(
            "The package diffusers is needed to build this network; "
            "install it by `pip install diffusers`."
        ) from error
    try:
        return AutoencoderKL.from_pretrained(
            place, use_safetensors=True, local_files_only=True, low_cpu_mem_usage=False
        ).eval()
    except Exception as error:
        raise ExportError(
            f"diffusers cannot build the network in {place} ({one_line(str(error), 160)}); "
            "save it again by `model.save_pretrained(folder)`."
        ) from error
