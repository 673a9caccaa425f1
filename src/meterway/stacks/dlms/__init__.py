"""DLMS/COSEM: the language of electricity meters (IEC 62056-46, -4-7, -5-3, -6-1, -6-2)."""
