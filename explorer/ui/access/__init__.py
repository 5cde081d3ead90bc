"""Who may ask: under which name of this server, from which page, and as whom."""
