"""Profile 1, `fnet`: a Fourier network from positions to colours, whose coefficients are the file."""
