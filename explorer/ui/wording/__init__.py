"""Numbers, names and colours as people read them."""
