"""The layer: y = sum a_k cos(2 pi k.x) + b_k sin(2 pi k.x) + x, over k of zeros and ones; alone, and many networks
of it at once. Nothing here knows of pictures or files."""
