"""What consumers share: circuits, and who gives way first."""
