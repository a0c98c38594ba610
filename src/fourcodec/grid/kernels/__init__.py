"""The loops of the grid, compiled."""
