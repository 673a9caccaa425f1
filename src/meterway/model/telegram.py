"""A decoded telegram in plain words: what every protocol's decoder hands to the command line and the floors above."""

from __future__ import annotations

from dataclasses import dataclass, field

from meterway.model.reading import JsonValue, Reading

__all__ = ["DecodedTelegram", "Json"]

Json = JsonValue | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedTelegram:
    """What one telegram said.

    ``protocol`` is the family (``p1``, ``dlms``, ``m-bus`` ...), ``device`` what it says of its sender,
    ``layers`` one row for each layer from the outside in, ``security`` how it was protected, ``quirks`` the names of
    tolerated deviations from the norm.
    """

    protocol: str
    device: dict[str, Json] = field(default_factory=dict)
    readings: tuple[Reading, ...] = ()
    layers: tuple[dict[str, Json], ...] = ()
    security: dict[str, Json] = field(default_factory=dict)
    quirks: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Json]:
        """The answer of ``meterway decode`` for a telegram that was understood."""
        readings: list[Json] = [{**reading.as_json()} for reading in self.readings]
        return {
            "ok": True,
            "protocol": self.protocol,
            "device": self.device,
            "readings": readings,
            "layers": list(self.layers),
            "security": self.security,
            "quirks": list(self.quirks),
        }
