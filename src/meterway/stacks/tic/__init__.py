"""Télé-information client: what French meters say at their consumer interface (Enedis-NOI-CPT_54E, EN 62056-3-1)."""
