"""What goes over a neighbourhood network: power line (PRIME, G3, S-FSK) and radio mesh, below DLMS/COSEM."""
