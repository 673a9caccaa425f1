"""The wired link layer of EN 13757-2: frames, a deframer, master and slave engines, search."""
