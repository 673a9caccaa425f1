"""The simple external consumer display (SECD): shows what a meter tells on its consumer port (H1)."""
