"""The Enphase backend, run in process against simulated gateways."""
