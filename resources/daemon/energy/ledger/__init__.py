"""What the house counts: counters, five-minute intervals and their store, days, months and years."""
