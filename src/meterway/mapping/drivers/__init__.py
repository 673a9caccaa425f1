"""Drivers: what meters send beside the norm, written as data; one TOML file for each family of meters."""
