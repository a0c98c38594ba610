"""What is in a .fnc file: where its bytes are, and what its network looks at."""
