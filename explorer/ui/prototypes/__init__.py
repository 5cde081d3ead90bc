"""The Prototypes page."""
