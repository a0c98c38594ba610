"""The tunings of a fit: what it minimises beside the rate."""

PSNR = "psnr"  # squared errors
VISUAL = "visual"  # what people see of errors
TUNES = (PSNR, VISUAL)
