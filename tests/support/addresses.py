"""Addresses requested by the browser, valid and invalid, built from parts."""

from explorer.ui.api.address import address_of


def strip_address(engine, what, tiles, seed, component="all"):
    """Name what is known of a strip; values are passed on as they are."""
    query = f"{address_of(engine, what)}&tiles={tiles}&seed={seed}"
    return query if component == "all" else f"{query}&component={component}"
