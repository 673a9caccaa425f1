"""Real radio receivers by the stream they give over a serial port or TCP, each as a codec without I/O and a port."""
