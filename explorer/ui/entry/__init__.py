"""What starts: the script of the app, the server, and the command that runs it."""
