"""Enphase IQ Gateway (Envoy), firmware V7 and later: local HTTPS, token from Enlighten."""
