"""Fitting of the profile fnet. Only an encoder loads this package."""
