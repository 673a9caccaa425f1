"""M-Bus, wired and wireless: EN 13757-2, -3, -4 and -7, with the profiles of OMS.

``telegram.decode`` opens any telegram; the folders below are the layers it is made of, each usable alone and
in both directions: ``link`` (wired frames, master and slave engines), ``wireless`` (radio frames), ``ell``,
``afl``, ``tpl``, ``security``, ``records`` and ``application``.
"""
