"""Programs that some tests run and a machine may lack: where to look for them and which Debian package brings them."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path
from typing import Final

__all__ = ["PACKAGES", "find", "used"]

# The name used in @pytest.mark.needs(...): (executable, Debian package).
PACKAGES: Final = {
    "chromium": ("chromium", "chromium"),
    "eapol_test": ("eapol_test", "eapoltest"),
    "isal": ("igzip", "isal"),  # for the library it brings along
    "mosquitto": ("mosquitto", "mosquitto"),
    "nats-server": ("nats-server", "nats-server"),
    "openssl": ("openssl", "openssl"),
    "postgres": ("postgres", "postgresql"),
    "tshark": ("tshark", "tshark"),
    "softhsm2-util": ("softhsm2-util", "softhsm2"),
    "xmllint": ("xmllint", "libxml2-utils"),
}

# Daemons that Debian keeps off a user's PATH.
_ELSEWHERE: Final = ("/usr/sbin", "/usr/local/sbin", "/usr/lib/postgresql/*/bin")


def find(name: str) -> Path | None:
    """Path of the executable behind ``name``, the newest version where there are several; None if absent."""
    executable, _ = PACKAGES[name]
    on_path = shutil.which(executable)
    if on_path:
        return Path(on_path)
    places = [folder / executable for pattern in _ELSEWHERE for folder in Path("/").glob(pattern[1:])]
    found = [place for place in places if place.is_file()]
    return max(found, key=_version, default=None)


def _version(place: Path) -> int:
    return max((int(part) for part in place.parts if part.isdigit()), default=0)


def used(tests: Path) -> set[str]:
    """The programs that a ``needs`` mark under ``tests`` names."""
    return {
        argument.value
        for path in tests.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "needs"
        for argument in node.args
        if isinstance(argument, ast.Constant)
    }


if __name__ == "__main__":
    # What .ci/run installs.
    print(*sorted({PACKAGES[name][1] for name in used(Path(__file__).parent)}))
