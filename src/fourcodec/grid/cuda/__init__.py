"""The grid and its fit in torch. Loaded where CUDA is asked for."""
