"""A generative model: a decoder maps a latent z to all coefficients of a Fourier network, which is an image."""

from fourcodec import extras

# Nearly every module of this room begins with one of these; here the message can say where they come from.
extras.require("generating images", "torch", "safetensors", "scipy", "sklearn", extra="generate")
