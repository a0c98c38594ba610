"""A generative model: a decoder maps a latent z to all coefficients of a Fourier network, which is an image."""
