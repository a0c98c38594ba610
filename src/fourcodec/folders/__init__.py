"""Whole folders, encoded or decoded: what there is to do, doing it in parallel, and what is done already."""
