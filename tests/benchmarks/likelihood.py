"""log p(x) of a few samples, S = 5000, ours and plain: `python -m tests.benchmarks.likelihood`.

The plain loop is that of the VampPrior's published code: for each sample 50 chunks of 100 codes,
and for each chunk the encoder on 100 copies of the sample and on all pseudo-inputs. Both are given
the same noise, so that they must agree; ours is to be at least three times as fast. The samples
are the model's own: no data set is needed.
"""

import math

import torch

from explorer import load
from explorer.metrics.draws import draw_data
from explorer.metrics.likelihood import importance_sampling
from tests.benchmarks.pairing import ratio

MODEL = "mnist-static-vae-vamp-40"
SAMPLES, CHUNK, IMAGES, LIMIT = 5000, 100, 2, 3


@torch.inference_mode()
def plain(model, prior, x):
    """Estimate log p(x) without remembering anything from one chunk to the next."""
    generator = torch.Generator().manual_seed(0)
    found = []
    for image in x:
        chunks = []
        for _ in range(SAMPLES // CHUNK):
            copies = image.expand(CHUNK, *image.shape)
            q = model.posterior(copies)
            z = q.loc + q.scale * torch.randn(CHUNK, model.space.size, generator=generator)
            p = prior(model.posterior)
            likelihood = model.likelihood(z).log_prob(copies)
            chunks.append(likelihood + p.log_prob(z) - q.log_prob(z))
        found.append(torch.cat(chunks).double().logsumexp(0) - math.log(SAMPLES))
    return torch.stack(found)


def main():
    torch.set_num_threads(1)
    opened = load(MODEL)
    model, prior = opened.model, opened.prior
    with torch.no_grad():
        known = prior(model.posterior)
    x = torch.from_numpy(draw_data(model, known, IMAGES, 0, binary=True))

    def ours():
        with torch.no_grad():
            p = model.latent_prior(prior)
        return importance_sampling(model, p, x, samples=SAMPLES).log_likelihood

    def theirs():
        return plain(model, prior, x)

    away = float((ours() - theirs()).abs().max())
    found = ratio(theirs, ours, pairs=8)
    each = found.second_ms / IMAGES
    print(f"log p(x) of {IMAGES} samples of {MODEL}, S = {SAMPLES:,}, {len(known.components())} "
          f"components, one thread: {each:.0f} ms a sample")  # fmt: skip
    print(f"largest difference {away:.1e} nats")
    print(f"plain loop / ours: {found}, at least {LIMIT} is asked for")
    return found.median >= LIMIT and away < 1e-3


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
