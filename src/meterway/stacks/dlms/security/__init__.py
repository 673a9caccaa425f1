"""DLMS security: suites, protected APDUs, authentication of both parties, keys (IEC 62056-5-3)."""
