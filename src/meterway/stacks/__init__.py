"""What goes over a wire: one folder per norm family, no input or output, no clock."""
