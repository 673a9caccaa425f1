"""TLS contexts from PEM files; nothing older than TLS 1.2."""

from __future__ import annotations

import ssl
from pathlib import Path

from meterway.base.errors import ConfigError

__all__ = ["client_context", "server_context"]


def client_context(
    *, authority: Path | None = None, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """A context that verifies the server's certificate and name.

    ``authority`` holds the trusted roots (default: the system's); ``certificate`` and ``key`` make this side
    known to the server. ConfigError names a file that is missing or wrong.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authority is None:
        context.load_default_certs()
    else:
        _load_authority(context, authority)
    if certificate is not None:
        _load_certificate(context, certificate, key)
    return context


def server_context(*, certificate: Path, key: Path, authority: Path | None = None) -> ssl.SSLContext:
    """A context that shows ``certificate``; with ``authority`` a client must show one signed by it.

    ConfigError names a file that is missing or wrong.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_certificate(context, certificate, key)
    if authority is not None:
        _load_authority(context, authority)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _load_authority(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(path)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(f"{path}: not usable as trusted certificates: {error.strerror or error}") from error


def _load_certificate(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    for path in (certificate, key):
        if path is not None and not path.is_file():
            raise ConfigError(f"{path}: no such file")
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        names = certificate if key is None else f"{certificate}, {key}"
        raise ConfigError(f"{names}: not usable as certificate and key: {error.strerror or error}") from error
