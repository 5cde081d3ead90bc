"""Places 500 new codes on a map of 10,000: `python -m tests.benchmarks.placing`.

Compares `explorer.projection.place` with the `transform` of umap-learn, warm, in one run: how well
neighbourhoods are kept, and how long it takes. The codes are those of a model's own samples,
encoded again, so no data set is needed.
"""

import time

import numpy as np

from explorer import Engine, load
from explorer.devices import limit_threads
from explorer.projection import NEIGHBOURS, place

KNOWN, NEW = 10_000, 500
MODEL = "mnist-static-vae-vamp-40"


def ranks(known, new):
    """The rank of every known point as a neighbour of every new one, nearest first."""
    square = (known**2).sum(1) - 2 * new @ known.T
    return square.argsort(1).argsort(1)


def recall(latent, shown):
    """Share of the 15 nearest known codes that are also the 15 nearest on the map."""
    return float(((latent < NEIGHBOURS) & (shown < NEIGHBOURS)).sum(1).mean() / NEIGHBOURS)


def trustworthiness(latent, shown):
    """Venna and Kaski's measure (2001), of the new points among the known ones."""
    n, k = latent.shape[1], NEIGHBOURS
    beyond = np.where(shown < k, np.maximum(latent - k + 1, 0), 0).sum(1).mean()
    return 1 - 2 / (k * (2 * n - 3 * k - 1)) * beyond


def main():
    import umap

    limit_threads()
    engine = Engine(load(MODEL), "cpu")
    codes = engine.encode(engine.sample(KNOWN + NEW, seed=7).x).loc
    known, new = codes[:KNOWN], codes[KNOWN:]
    mapper = umap.UMAP(n_neighbors=NEIGHBOURS, min_dist=0.1, random_state=0, n_jobs=1)
    xy = mapper.fit_transform(known)
    start = time.perf_counter()
    place(known, xy, new)
    first_ours = time.perf_counter() - start
    start = time.perf_counter()
    mapper.transform(new)
    first_theirs = time.perf_counter() - start
    ours, theirs = [], []
    for _ in range(5):
        start = time.perf_counter()
        placed = place(known, xy, new)
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        transformed = mapper.transform(new)
        theirs.append(time.perf_counter() - start)
    latent = ranks(known.astype(float), new.astype(float))
    print(f"{NEW} codes on a map of {KNOWN:,} ({MODEL}, its samples encoded again)")
    for name, found in (("place", placed), ("umap transform", transformed)):
        shown = ranks(xy.astype(float), found.astype(float))
        print(
            f"{name:15} recall@15 {recall(latent, shown):.4f}  "
            f"trustworthiness {trustworthiness(latent, shown):.4f}"
        )
    ratio = np.median(theirs) / np.median(ours)
    print(
        f"warm: umap takes {ratio:.1f} times as long (at least 5 is asked for): "
        f"{1000 * np.median(theirs):.0f} ms over {1000 * np.median(ours):.0f} ms"
    )
    print(f"first call: place {first_ours:.3f} s, umap {first_theirs:.1f} s")


if __name__ == "__main__":
    main()
