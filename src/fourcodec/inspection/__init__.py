"""The contents of a .fnc file: where its bytes are, and what its network sees."""
