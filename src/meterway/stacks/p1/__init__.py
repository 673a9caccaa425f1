"""P1 telegrams: the readable push of a meter's consumer port (DSMR, eMUCS-P1 and their relatives)."""
