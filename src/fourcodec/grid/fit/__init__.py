"""Fitting of the profile grid. Only an encoder loads this package."""
