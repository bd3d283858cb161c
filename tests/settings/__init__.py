"""Every number field of every catalogue, at its least, default and most, with the real device and its simulator."""
