"""All simulated systems at once, with the stand-in Jeedom and the real daemon."""
