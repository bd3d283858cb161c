"""Legrand Drivia ecometers, read through Netatmo Connect."""
