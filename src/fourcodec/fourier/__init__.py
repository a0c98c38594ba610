"""The Fourier layer, y = sum over k in {0,1}^m of a_k cos(2 pi k.x) + b_k sin(2 pi k.x), plus x in hidden layers.

layer.py computes it over all k, limited.py over those of limited order, batch.py evaluates many networks of such layers
at once. No module but batch.py knows of pictures, none reads or writes files.
"""
