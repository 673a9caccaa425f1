"""The physical configurations P1 to P15: which entities there are, which links join them, what goes over each."""
