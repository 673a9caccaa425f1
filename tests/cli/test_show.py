from meterway.cli.show import show_telegram
from meterway.mapping.telegram import decode_telegram

PUSH = bytes.fromhex("0f40000000000101020309060100010700ff060000067d02020f00161b")


def test_readings_and_quirks_are_shown(capsys):
    show_telegram(decode_telegram(PUSH))
    out = capsys.readouterr().out
    assert "1-0:1.7.0" in out
    assert "1661" in out
    assert "empty-date-time" in out


def test_a_refusal_says_why_and_where(capsys):
    show_telegram(decode_telegram(b"\xff"))
    out = capsys.readouterr().out
    assert "refused" in out
    assert "0xff is not the tag of an APDU" in out
