"""Data records of EN 13757-3: headers (DIB and VIB), values, times, profiles, compact frames, the fixed structure."""
