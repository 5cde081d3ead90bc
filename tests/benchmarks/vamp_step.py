"""A VampPrior's training step over the standard one: `python -m tests.benchmarks.vamp_step`.

Pseudo-inputs are encoded once per step and the mixture's density is two matrix products, so the
step should cost what its multiply-adds say: ((B + K) enc + B dec) / (B (enc + dec)), and at most
1.15 times that.
"""

import torch

from explorer.config import RunConfig
from explorer.objectives import elbo
from explorer.sketch import PixelSketch
from tests.benchmarks.pairing import ratio

BATCH, COMPONENTS, LIMIT = 100, 500, 1.15


def step(prior):
    config = RunConfig.model_validate(
        {
            "data": {"kind": "mnist-static"},
            "model": {"kind": "vae", "latent": 40, "hidden": [300, 300]},
            "prior": prior,
            "sketch": PixelSketch(height=28, width=28).model_dump(),
        }
    )
    model, module = config.build()
    parameters = [*model.parameters(), *module.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=5e-4, fused=True)
    x = torch.bernoulli(torch.full((BATCH, 1, 28, 28), 0.13))

    def run():
        loss = elbo(model, module(model.posterior), x).loss
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    return run, model


def main():
    torch.set_num_threads(1)
    vamp, model = step({"kind": "vamp", "components": COMPONENTS})
    standard, _ = step({"kind": "standard"})
    weights = lambda *parts: sum(  # noqa: E731
        p.numel() for part in parts for p in part.parameters() if p.ndim > 1
    )
    enc = weights(model.encoder, model.loc, model.log_variance)
    dec = weights(model.decoder, model.head)
    expected = ((BATCH + COMPONENTS) * enc + BATCH * dec) / (BATCH * (enc + dec))
    found = ratio(vamp, standard)
    print(f"vamp step / standard step: {found}")
    share = found.median / expected
    print(f"by multiply-adds {expected:.3f}; measured / expected {share:.3f}, limit {LIMIT}")
    return found.median <= LIMIT * expected


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
