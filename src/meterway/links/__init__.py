"""What carries octets: the pump that drives engines, over TCP, UDP, TLS or in memory."""
