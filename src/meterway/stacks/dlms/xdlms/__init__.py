"""xDLMS: the services of an association, one dataclass per APDU (IEC 62056-5-3)."""
