"""Programs that make what the package and its documentation ship: trained starts, a table of sizes, figures."""
