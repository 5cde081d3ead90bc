"""Widgets that write into the address bar: it is read at the top of a run and is the truth."""

from collections.abc import Callable

import streamlit as st

from explorer.ui.address.views import View, address_text


def control(
    widget: Callable[..., object], label: str, view: View, field: str, **options: object
) -> None:
    """Show a widget for a field of the view; a change lands in the address and reruns the page.

    Args:
        widget: A Streamlit widget that takes `key` and `on_change`.
        label: Its label.
        view: The page's view.
        field: The view's field.
        options: Further options of the widget; `value` is shown in the place of the field's.
    """
    key = f"{type(view).__name__.removesuffix('View').lower()}_{field}"
    value = getattr(view, field)
    st.session_state[key] = options.pop("value", value)
    widget(label, key=key, on_change=_commit, args=(key, field), **options)


def commit(**fields: object) -> None:
    """Put fields into the address; None takes one out. For callbacks of buttons."""
    address = dict(st.query_params.items())
    for name, value in fields.items():
        if value is None:
            address.pop(name, None)
        else:
            address[name] = address_text(value)
    st.query_params.from_dict(address)


def _commit(key: str, field: str) -> None:
    value = st.session_state[key]
    commit(**{field: tuple(value) if isinstance(value, list) else value})
