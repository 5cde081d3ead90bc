"""Entry points: the app's script, the server, and the command that runs it."""
