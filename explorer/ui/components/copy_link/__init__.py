"""A button that copies the page's address, which restores the view."""

from explorer.ui.components.bridge import Synced

_COPY_LINK = Synced("copy_link")


def copy_link(*, key: str) -> None:
    """Render the button."""
    _COPY_LINK.mount(key, {})
