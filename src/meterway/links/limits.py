"""What bounds links: who may open a line, how many there may be, how long one may be silent; open files."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from meterway.base.errors import ConfigError
from meterway.links.pump import EngineProtocol

__all__ = ["Addresses", "Lines", "raise_file_limit"]

_LOOPBACK: Final = ("127.0.0.0/8", "::1/128")


class Addresses:
    """Addresses and networks, as settings name them (``192.0.2.7``, ``2001:db8::/32``); none: those of this machine.

    ConfigError for a text that is neither.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._networks: list[IPv4Network | IPv6Network] = []
        given = tuple(texts)
        self.is_given = bool(given)
        for text in given or _LOOPBACK:
            try:
                self._networks.append(ip_network(text))
            except ValueError as error:
                raise ConfigError(f"{text!r} is neither an address nor a network: {error}") from None

    def __contains__(self, text: str) -> bool:
        try:
            one = ip_address(text.partition("%")[0])
        except ValueError:
            return False
        if one.version == 6 and one.ipv4_mapped is not None:
            one = one.ipv4_mapped
        return any(one in network for network in self._networks)


class Lines:
    """The lines that peers have opened: ``most`` in all, ``of_one`` from one address, none silent for ``idle_s``."""

    def __init__(self, *, most: int, of_one: int, idle_s: float) -> None:
        self._most = most
        self._of_one = of_one
        self._idle_s = idle_s
        self._peers: dict[EngineProtocol, str] = {}  # type: ignore[type-arg]  # of any events
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._peers)

    def __iter__(self) -> Iterator[EngineProtocol]:  # type: ignore[type-arg]  # of any events
        return iter(tuple(self._peers))

    def take(self, line: EngineProtocol) -> bool:  # type: ignore[type-arg]  # of any events
        """A line was made; False, and it is cut, if there are too many."""
        host = line.host
        if len(self._peers) >= self._most or self._counts[host] >= self._of_one:
            line.abort()
            return False
        self._peers[line] = host
        self._counts[host] += 1
        return True

    def drop(self, line: EngineProtocol) -> None:  # type: ignore[type-arg]  # of any events
        """A line is there no more."""
        host = self._peers.pop(line, None)
        if host is not None:
            self._counts[host] -= 1
            if not self._counts[host]:
                del self._counts[host]

    def cut_idle(self, now: float) -> int:
        """Cut those that have brought nothing for too long, by the loop's clock; how many."""
        idle = [line for line in self if now - line.heard_s > self._idle_s]
        for line in idle:
            line.abort()
        return len(idle)


def raise_file_limit(wanted: int) -> int:
    """Raise the limit of open files to ``wanted``, or as far as is allowed; returns how many may be open.

    Never lowers it. Where the system has no such limit, ``wanted`` is returned.
    """
    if sys.platform == "win32":
        return wanted
    import resource  # does not exist everywhere

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    goal = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if goal > soft:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (goal, hard))
        except (ValueError, OSError):
            return soft
        return goal
    return soft
