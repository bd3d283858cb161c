"""The whole under faults: five simulated systems, a stand-in Jeedom and one real daemon, then a check against truth."""
