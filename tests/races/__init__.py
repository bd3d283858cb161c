"""Two threads at one object on purpose: what only shows when they meet in the middle of a step."""
