"""Caching of functions of a model, keyed on its name, its weights and plain values."""

import functools
import hashlib
import inspect
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np
import streamlit as st
from pydantic import BaseModel

from explorer.designs import measuring
from explorer.inference import Engine
from explorer.ui.cache.engines import identity

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Cached = Callable[Concatenate[Engine, Parameters], Result]


def per_engine(
    most: int, *, measured: bool = False, asking: bool = False, spinner: str | bool = False
) -> Callable[[Cached[Parameters, Result]], Cached[Parameters, Result]]:
    """Cache a function of an engine and plain values; arrays are keyed on all their bytes.

    Streamlit hashes large arrays by a sample of their elements, so that two arrays that differ
    can share a key; here every argument is keyed on its full content.

    Args:
        most: Maximum number of results; the oldest is evicted first.
        measured: Whether the result depends on measurements of the weights, such
            as the atlas, and not on the weights alone.
        asking: Whether the result depends on properties, and so on which networks are installed.
        spinner: Text shown while the result is computed.
    """

    def decorate(function: Cached[Parameters, Result]) -> Cached[Parameters, Result]:
        signature = inspect.signature(function)

        def compute(slug: str, digest: str, values: str, _call: Callable[[], Result]) -> Result:
            return _call()

        # Streamlit distinguishes cached functions by module, name and source.
        compute.__module__, compute.__qualname__ = function.__module__, function.__qualname__
        kept = st.cache_resource(max_entries=most, show_spinner=spinner)(compute)

        @functools.wraps(function)
        def cached(
            engine: Engine, /, *args: Parameters.args, **kwargs: Parameters.kwargs
        ) -> Result:
            bound = signature.bind(engine, *args, **kwargs)
            bound.apply_defaults()
            values = ", ".join(content_key(value) for value in list(bound.arguments.values())[1:])
            digest = identity(engine) if measured else engine.checkpoint.hash
            values += measuring.fingerprint() if asking else ""
            call = functools.partial(function, engine, *args, **kwargs)
            return kept(engine.slug, digest, values, _call=call)

        cached.clear = kept.clear  # type: ignore[attr-defined]
        return cached

    return decorate


def content_key(value: object) -> str:
    """Return a key for a plain value from its full content.

    Raises:
        TypeError: If it is not a plain value: a number, text, bytes, array, model, or a tuple.
    """
    if isinstance(value, np.ndarray):
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return f"{value.dtype.str}{value.shape}{digest}"
    if isinstance(value, BaseModel):
        return f"{type(value).__name__}{value.model_dump_json()}"
    if isinstance(value, tuple):
        return f"({', '.join(content_key(item) for item in value)})"
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return repr(value)
    raise TypeError(f"{type(value).__name__} cannot be a cache key.")
