"""A pick on its way from the browser to the store."""
