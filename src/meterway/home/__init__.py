"""Home automation end devices: what is controlled and informed in the home, over H2 and H3."""
