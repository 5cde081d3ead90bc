"""The address bar as the state of a page: its fields, its grammar, and bound widgets."""
