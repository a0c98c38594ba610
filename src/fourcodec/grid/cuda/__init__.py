"""The profile grid and its fit in torch. Loaded only where CUDA is asked for."""
