"""ACSE: opening and closing an association (IEC 62056-5-3, ISO/IEC 8650)."""
