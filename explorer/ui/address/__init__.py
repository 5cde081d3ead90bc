"""The address bar is the view: its fields, its grammar, and the widgets that write it."""
