"""From the words of a norm to what readings mean: OBIS codes, P1, companion profiles."""
