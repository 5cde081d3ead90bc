"""Foreign networks, given as ONNX graphs: examined in a process of their own, then run."""
