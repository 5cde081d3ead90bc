"""The page Train: what to train, and a run that one watches and turns."""
