"""NNAP: the neighbourhood network access point, a concentrator of meters behind power line or radio mesh."""
