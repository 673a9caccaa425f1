"""IEC 62056-21: the readable exchange at a meter's optical port; sign-on, option select, data readout, both sides."""
