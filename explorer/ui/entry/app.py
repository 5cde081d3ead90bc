"""What every page has: the menu, the open model, and the page itself."""

from explorer.ui.shell.frame import run

run()
