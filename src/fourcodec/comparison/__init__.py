"""A picture beside its .fnc file and a JPEG of as many bytes: numbers, error maps, and a page to look at them."""
