"""What outlives a crash: in which order things are kept and sent."""
