"""What only an encoder of `fnet` needs. Decoding never loads it."""
