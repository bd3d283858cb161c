"""Netatmo Connect with Legrand ecometers: OAuth2 with rotating tokens, homes, measures with late uploads, limits."""
