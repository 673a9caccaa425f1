"""M and C over M-Bus: what hears, keeps and shows meters that speak by themselves, in a gateway and a concentrator."""
