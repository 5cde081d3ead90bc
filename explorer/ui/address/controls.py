"""Widgets bound to the address bar, which is read at the top of a run and holds the state."""

from collections.abc import Callable, Mapping

import streamlit as st

from explorer.ui.address.views import View, address_text, latest_address, write_address


def control(
    widget: Callable[..., object], label: str, view: View, field: str, **options: object
) -> None:
    """Render a widget for a field of the view; a change updates the address and reruns the page.

    Args:
        widget: A Streamlit widget that takes `key` and `on_change`.
        label: Its label.
        view: The page's view.
        field: The view's field.
        options: Further options of the widget; `value` overrides the field's value.
    """
    key = f"{type(view).__name__.removesuffix('View').lower()}_{field}"
    value = getattr(view, field)
    st.session_state[key] = options.pop("value", value)
    widget(label, key=key, on_change=_commit, args=(key, field), **options)


def choice(
    label: str, view: View, field: str, options: Mapping[str, str], **further: object
) -> None:
    """Render a row of buttons for a field of the view, one of which is always pressed.

    Args:
        label: Its label.
        view: The page's view.
        field: The view's field.
        options: Its values, and their names.
        further: Further options of the widget.
    """
    control(
        st.segmented_control,
        label,
        view,
        field,
        options=list(options),
        format_func=options.get,
        required=True,
        **further,
    )


def commit(**fields: object) -> None:
    """Write fields to the address; None removes one. For button callbacks."""
    address = latest_address()
    for name, value in fields.items():
        if value is None:
            address.pop(name, None)
        else:
            address[name] = address_text(value)
    write_address(address)


def _commit(key: str, field: str) -> None:
    value = st.session_state[key]
    value = None if value == "" else value  # an empty text is no part of a link
    commit(**{field: tuple(value) if isinstance(value, list) else value})
