"""One thread of torch in every process, so that the tests may share the cores."""

import torch

torch.set_num_threads(1)
