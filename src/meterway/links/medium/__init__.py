"""What is simulated: the air of radio meters, the two-wire bus of master and slaves, the neighbourhood network."""
