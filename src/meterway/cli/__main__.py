"""``python -m meterway.cli``."""

from meterway.cli import main

main()
