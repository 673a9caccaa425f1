"""What is simulated: the air between radio meters and gateways, and the two-wire bus of a master and its slaves."""
