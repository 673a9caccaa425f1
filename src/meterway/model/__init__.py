"""What readings mean, in the words of the Common Information Model: no norm's octets, no I/O."""
