"""New images from Fourier coefficients: a decoder turns a latent z into all coefficients of a Fourier network."""
