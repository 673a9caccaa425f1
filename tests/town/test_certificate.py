"""A certificate for this machine."""

import socket
import ssl
import threading

from meterway.links.tls import client_context, server_context
from meterway.town.certificate import loopback_certificate


def test_a_client_that_trusts_it_shakes_hands_and_its_key_is_for_the_owner(tmp_path):
    certificate, key = loopback_certificate(tmp_path / "new")
    assert key.stat().st_mode & 0o077 == 0
    server = server_context(certificate=certificate, key=key)
    ours, theirs = socket.socketpair()
    told = []

    def answer():
        with server.wrap_socket(theirs, server_side=True) as line:
            line.sendall(b"here")

    thread = threading.Thread(target=answer)
    thread.start()
    with client_context(authority=certificate).wrap_socket(ours, server_hostname="127.0.0.1") as line:
        told.append(line.recv(4))
    thread.join()
    assert told == [b"here"]


def test_another_name_is_not_believed(tmp_path):
    certificate, key = loopback_certificate(tmp_path)
    names = ssl._ssl._test_decode_cert(str(certificate))["subjectAltName"]
    assert names == (("IP Address", "127.0.0.1"),)
    assert key.read_text().startswith("-----BEGIN PRIVATE KEY")
