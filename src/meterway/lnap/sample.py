"""A commented settings file."""

from __future__ import annotations

import secrets
from typing import Final

__all__ = ["SAMPLE", "sample"]

SAMPLE: Final = """\
# Settings of a Meterway gateway (LNAP). Every line that is commented out shows its default or an example.

# Unique among your gateways; system titles and keys derive from it.
serial = "LNAP00000001"
# ident = "00000001"               # eight digits: its own address on the air
# zone = "UTC"                     # of the meters' clocks and of tariff stages, e.g. "Europe/Berlin"

# White list, sealed keys, counters, orders, events and the spool of readings.
# store = "lnap.sqlite"
# master_key = "lnap.key"          # seals the meters' keys; made with mode 0600 at first start. Back it up apart.
# period_s = 3600                  # one reading of every register in this time
# keep_days = 60
# limit_mib = 64                   # 60 days of hours of 500 meters with one register take 14 MiB
# silent_after_s = 86400.0
# order_valid_s = 86400.0          # how long an order waits for a meter to wake
# most_m3_per_hour = 100.0         # a volume that rises faster is not plausible

# drivers = "drivers"              # a folder of meters' drivers of your own, as for `meterway decode --drivers`
# named_drivers = ["sanxing_s34"]  # drivers that loosen a check and so are to be asked for

# Three networks, kept apart: who is listed for one side is served on its port alone. Without a table: no port.
[wan]
# host = "127.0.0.1"
# port = 4059
# [home]
# [local]

[[parties]]
name = "operator"
client = 1
secret = "env:LNAP_OPERATOR"       # at least 16 octets as hex, or env:NAME that holds them
channels = "all"                   # or a list: [1, 2]; nothing is given by itself
rights = ["read", "command", "configure"]
sees_gateway = true
# side = "wan"                     # wan, home or local

# [[meters]]
# address = "MWY-10000001-01-03"   # manufacturer, number, version, device type
# channel = 1
# key = "env:GAS_KEY"
# security = "B"                   # the least that is accepted: plain, A, B or D
# link = "radio"                   # or "wired"

# [[tariffs]]                      # a party with a tariff gets what its cases let out, and nothing more
# case = "TAF7"                    # TAF1 TAF2 TAF6 TAF7 TAF9 TAF10 TAF14
# party = "supplier"
# channel = 1
# stages = [{ number = 1, begin = "06:00", end = "22:00" }, { number = 2, begin = "22:00", end = "06:00" }]

# [update]                         # firmware of the gateway itself, over image transfer; without this none is taken
# maker = "maker.pem"              # the maker's public key, elliptic curve P-256: images are signed
# folder = "firmware"
# trial_s = 60.0                   # new firmware that ends before has the one before it run again

# A radio receiver, by its stream: one of port, serial, file (also a named pipe) and program.
# [[radios]]
# receiver = "lines"               # what rtl_wmbus and rtl_433 print
# program = ["rtl_433", "-F", "json", "-R", "105", "-f", "868.95M", "-s", "1600k"]
# port = 5000                      # or from a TCP port: rtl_wmbus | nc
# file = "/run/wmbus.pipe"         # or a named pipe, or what is appended to a file
# [[radios]]
# receiver = "im871a"              # or amb8465, or rc1180; pyserial is wanted: meterway[serial]
# serial = "/dev/ttyUSB0"          # or host and port of a serial server
# mode = "T2"                      # what it is set to (rc1180: was set to); answers go out in T2, C2 and S2
# baud = 57600                     # default: 57600, 9600, 19200, as they are delivered
# rssi = false                     # amb8465, rc1180: was set to append the strength
# retry_s = 5.0                    # how long after its end a line is built up again
# [[radios]]                       # the simulated air of a radio hub
# receiver = "simulated"
# port = 4870
# hears = ["S1", "T1", "C1", "N1a"]

# A two-wire bus: a level converter on a serial port, or behind a TCP port.
# [[buses]]
# serial = "/dev/ttyUSB1"          # or: host = "127.0.0.1", port = 10001
# parity = "E"
# baud = 2400
# poll_s = 900.0
# search = "secondary-first"       # found meters are proposed, never bound

# [push]
# over = "line"                    # or "uplink": through the concentrator, without host and port
# host = "127.0.0.1"
# port = 4061
# party = "operator"

# [mqtt]                           # Home Assistant finds the meters by itself
# host = "broker.home"
# port = 8883
# username = "lnap"
# password = "env:MQTT_PASSWORD"
# authority = "ca.pem"
"""


def sample() -> str:
    """A commented settings file with a serial and a secret of its own."""
    serial = f"LNAP{secrets.randbelow(10**8):08d}"
    return SAMPLE.replace("LNAP00000001", serial).replace("env:LNAP_OPERATOR", secrets.token_hex(16))
