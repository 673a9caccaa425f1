"""What an access point shows northbound of each of its M-Bus meters."""
