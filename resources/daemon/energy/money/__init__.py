"""What energy costs: contracts, published prices, off-peak hours learnt from the meter, comparisons."""
