"""Parts that the fits of all profiles share: the optimiser SOAP, settings, progress reports, the search for a
target."""
