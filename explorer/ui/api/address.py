"""URLs of a model's resources."""

import importlib.metadata
from urllib.parse import urlencode

import numpy as np
from jaxtyping import Float

from explorer.checkpoint import PREVIEW, Entry
from explorer.designs import measuring
from explorer.designs.measuring import applicable_properties
from explorer.designs.properties import Conditions
from explorer.inference import Engine
from explorer.strips import StripSpec
from explorer.ui import cache
from explorer.ui.address.notation import exact_text

PLOTLY = f"/api/plotly-{importlib.metadata.version('plotly')}.js"


def address_of(opened: Engine, what: str, *parts: object) -> str:
    """Return the URL of a model's resource, by name and content hash.

    What depends on the atlas also carries its version, since browsers cache responses.
    """
    place = "/".join(["/api", what, opened.slug, opened.checkpoint.hash, *map(str, parts)])
    return place if what == "decode" else f"{place}?v={cache.version(opened)}"


def decision_address(opened: Engine, key: str) -> str:
    """Return the URL of a decision map; another network of the same key has another."""
    query = urlencode({"of": key, "f": measuring.fingerprint()})
    return f"{address_of(opened, 'decision')}&{query}"


def preview_address(entry: Entry, dark: bool) -> str:
    """Return the URL of a card's image; empty if it has none."""
    if cache.preview(entry, dark) is None:
        return ""
    changed = (entry.folder / PREVIEW).stat().st_mtime_ns
    return f"/api/preview/{entry.slug}/{entry.hash}?dark={int(dark)}&v={changed}"


def frames_address(engine: Engine, spec: StripSpec) -> str:
    """Return the URL of single frames of a strip, which lacks only the frame."""
    return f"{address_of(engine, 'frames')}&{urlencode(spec.of_model(engine).query())}"


def levelled_address(
    engine: Engine, z: Float[np.ndarray, " latent"], level: str, tiles: int, seed: int
) -> str:
    """Return the URL of single frames of a code with one level resampled, lacking the frame."""
    query = {"level": level, "tiles": tiles, "seed": seed, "z": exact_text(z)}
    return f"{address_of(engine, 'levelled')}&{urlencode(query)}"


def painted_address(engine: Engine, spec: StripSpec, frame: int) -> str:
    """Return the URL of images sampled pixel by pixel from the codes of a strip's frame."""
    query = spec.of_model(engine).query() | {"at": str(frame)}
    return f"{address_of(engine, 'painted')}&{urlencode(query)}"


def novelty_address(engine: Engine, spec: StripSpec) -> str:
    """Return the URL of the novelty and typicality of a strip's samples."""
    return f"{address_of(engine, 'novelty')}&{urlencode(spec.of_model(engine).query())}"


def positions_address(engine: Engine, spec: StripSpec) -> str:
    """Return the URL of the positions of a strip's samples on the map."""
    return f"{address_of(engine, 'positions')}&{urlencode(spec.of_model(engine).query())}"


def flow_query(conditions: Conditions) -> dict[str, object]:
    """Return conditions as fields of a URL, without those that are usual."""
    first = conditions.model_dump(include={"reynolds", "alpha"}, exclude_defaults=True)
    return first | ({"flow": conditions.text} if conditions.text else {})


def grab_address(engine: Engine, conditions: Conditions, limits: str) -> str:
    """Return the URL at which a design follows a finger, without what is grabbed."""
    query = flow_query(conditions) | ({"limits": limits} if limits else {})
    return f"{address_of(engine, 'grab')}&{urlencode(query)}"


def properties_address(
    engine: Engine, spec: StripSpec, conditions: Conditions, limits: str = ""
) -> str:
    """Return the URL of the properties of a strip's samples, and of which meet constraints."""
    query: dict[str, object] = {**spec.of_model(engine).query()}
    query |= flow_query(conditions)
    query |= {"limits": limits} if limits else {}
    # Browsers cache the response: other properties, as of a new package, need another URL.
    keys = ".".join(item.key for item in applicable_properties(engine.sketch))
    query["of"] = keys + measuring.fingerprint()
    return f"{address_of(engine, 'properties')}&{urlencode(query)}"
