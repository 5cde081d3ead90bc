"""Steps of matching over an autoencoder's: `python -m tests.benchmarks.matching_step`.

Sliced distance and MMD cost little beside the networks: at most 1.3 times an autoencoder's step.
By score, a network learns at every step and the model moves at each fifth: at most 2.5 times.
"""

import math

import torch

from explorer.config import RunConfig
from explorer.sketch import PixelSketch
from tests.benchmarks.pairing import ratio

BATCH = 512
LIMITS = {"sliced": 1.3, "mmd": 1.3, "score": 2.5}


def step(objective=None):
    given = {
        "data": {"kind": "mnist-static"},
        "model": {"kind": "dmvae" if objective else "ae", "latent": 16, "hidden": [300, 300]},
        "sketch": PixelSketch(height=28, width=28).model_dump(),
    }
    if objective:
        given |= {
            "prior": {"kind": "standard"},
            "objective": {"kind": "matching", "distance": objective},
        }
    config = RunConfig.model_validate(given)
    model, prior = config.build()
    latent = model.latent_prior(prior) if prior else None
    companion = config.objective.companion(16, latent)
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-4, fused=True)
    x = torch.bernoulli(torch.full((BATCH, 1, 28, 28), 0.13))
    learner = None
    if companion is not None:
        companion.refer_to(latent)
        learner = torch.optim.AdamW(companion.parameters(), lr=1e-3)
    options = {} if companion is None else {"companion": companion}

    def update(optimiser, loss):
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    def run():
        every = config.objective.every
        for number in range(5):
            if learner is not None:
                with torch.no_grad():
                    z = model.posterior(x).sample()
                update(learner, companion.learning_loss(z, latent))
            if number % every == 0:
                update(
                    optimiser, config.objective.terms(model, latent, x, beta=0.0, **options).loss
                )

    return run


def main():
    torch.set_num_threads(1)
    plain, worst = step(), 0.0
    for objective, limit in LIMITS.items():
        found = ratio(step(objective), plain)
        print(f"{objective}: step / autoencoder's step {found}, limit {limit}")
        worst = max(worst, found.median / limit)
    return worst <= 1 and math.isfinite(worst)


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
