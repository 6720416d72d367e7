"""PyTorch's side of the benchmark: the twin of each workload, its data, its timing."""
