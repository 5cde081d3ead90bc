"""A button that copies the address of the page, which restores the whole view."""

from explorer.ui.components.bridge import Synced

_COPY_LINK = Synced("copy_link")


def copy_link(*, key: str) -> None:
    """Show the button."""
    _COPY_LINK.mount(key, {})
