"""The quality that users give, and lambda, the price of a bit per pixel in mean squared error, that fits take."""

import math


def rate_weight_of(quality: float) -> float:
    """lambda for a quality 0 to 100; 35 more in quality are a tenth of lambda."""
    return 10 ** (-1.35 - quality / 35)


def quality_of(rate_weight: float) -> float:
    """The quality for a lambda, the inverse of `rate_weight_of`."""
    return 35 * (-1.35 - math.log10(rate_weight))
