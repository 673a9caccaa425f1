"""``python -m meterway``."""

from meterway.cli import main

main()
