"""What consumers share: circuits with their phases, and who gives way first."""
