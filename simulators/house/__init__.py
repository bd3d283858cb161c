"""A house with sun, battery, cars and loads, second by second, with the truth to compare with."""

from .plant import Battery, Car, House, Series
from .truth import Steady, Truth

__all__ = ["Battery", "Car", "House", "Series", "Steady", "Truth"]
