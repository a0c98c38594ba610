"""What only an encoder of `grid` needs. Decoding never loads it."""
