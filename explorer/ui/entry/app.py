"""The app's script: navigation, the open model, and the page itself."""

from explorer.ui.shell.frame import run

run()
