"""The page Your pictures: what comes in, and how a model will see it."""
