"""Smart Message Language: what German meters say at their consumer interface (BSI TR-03109-1, SML 1.04)."""
