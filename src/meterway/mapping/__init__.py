"""From the words of a norm to what readings mean: OBIS and record names, companion profiles, drivers, telegrams."""
