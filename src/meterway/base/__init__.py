"""What every floor stands on: octets, OBIS codes, units, ciphers, the engine shape, errors."""
