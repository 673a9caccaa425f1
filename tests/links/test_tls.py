import asyncio
import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from meterway.base.errors import ConfigError, LinkError
from meterway.links.tcp import connect, listen
from meterway.links.tls import client_context, server_context


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for ``meter.test``, signed by itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "meter.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("meter.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file


class Greeter(asyncio.Protocol):
    """Says hello to whoever comes, then hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"hello")
        transport.close()


class Hearer(asyncio.Protocol):
    def __init__(self) -> None:
        self.heard = b""
        self.done = asyncio.Event()
        self.version = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.version = transport.get_extra_info("ssl_object").version()

    def data_received(self, data: bytes) -> None:
        self.heard += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.done.set()


@pytest.mark.covers("SEC-04")
def test_both_sides_show_a_certificate_and_talk(files: tuple[Path, Path]) -> None:
    certificate, key = files

    async def play() -> None:
        server = server_context(certificate=certificate, key=key, authority=certificate)
        client = client_context(authority=certificate, certificate=certificate, key=key)
        listener = await listen(None, 0, Greeter, tls=server)
        hearer = await connect(None, listener.port, Hearer, tls=client, server_name="meter.test")
        await asyncio.wait_for(hearer.done.wait(), 10)
        assert hearer.heard == b"hello"
        assert hearer.version in ("TLSv1.2", "TLSv1.3")
        listener.close()
        await listener.wait_closed()

    asyncio.run(play())


@pytest.mark.covers("SEC-04")
@pytest.mark.parametrize("mistake", ["name", "authority"])
def test_a_server_that_cannot_be_trusted_is_a_link_error(files: tuple[Path, Path], mistake: str) -> None:
    certificate, key = files

    async def play() -> None:
        listener = await listen(None, 0, asyncio.Protocol, tls=server_context(certificate=certificate, key=key))
        context = client_context(authority=None if mistake == "authority" else certificate)
        name = "other.test" if mistake == "name" else "meter.test"
        with pytest.raises(LinkError, match=rf"TLS with 127\.0\.0\.1:{listener.port} failed"):
            await connect(None, listener.port, asyncio.Protocol, tls=context, server_name=name)
        listener.close()
        await listener.wait_closed()

    asyncio.run(play())


def test_files_that_are_missing_or_wrong_are_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    certificate, key = files
    junk = tmp_path / "junk.pem"
    junk.write_text("not a certificate")
    with pytest.raises(ConfigError, match="absent"):
        server_context(certificate=tmp_path / "absent", key=key)
    with pytest.raises(ConfigError, match=r"junk\.pem"):
        server_context(certificate=junk, key=key)
    with pytest.raises(ConfigError, match=r"junk\.pem"):
        client_context(authority=junk)
    with pytest.raises(ConfigError, match="absent"):
        client_context(authority=tmp_path / "absent")
    with pytest.raises(ConfigError, match=r"certificate\.pem"):
        client_context(certificate=certificate)
