"""Profile 2, `grid`: a pyramid of small integer latents, upsampled, goes through a small Fourier network to colour."""
