"""Gas, water, heat and cooling meters and heat cost allocators that speak M-Bus, wired or by radio (interface M)."""
