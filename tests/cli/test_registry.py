import json

import pytest

from command_line import meterway

HEAD = "serial,host,port,guek,gak\n"
KEY = "00" * 15 + "01"


@pytest.fixture
def place(tmp_path):
    (tmp_path / "headend.toml").write_text('store = "s.sqlite"\nmaster_key = "k"\n')
    return tmp_path


@pytest.mark.covers("E-HES-1", "UC-IN-01")
def test_right_lines_are_added_and_wrong_ones_named_with_line_and_column(place):
    rows = [f"A1,127.0.0.1,4059,{KEY},{KEY}", f"A1,127.0.0.1,4060,{KEY},{KEY}", "A2,127.0.0.1,x,,", "A3,h,1,00,"]
    (place / "m.csv").write_text(HEAD + "\n".join(rows) + "\n")
    done = meterway("import", "m.csv", "--json", cwd=place)
    outcome = json.loads(done.stdout)
    assert done.returncode == 1
    assert outcome["added"] == 1
    assert [error.split(":")[0] for error in outcome["errors"]] == [
        "m.csv line 3",
        "m.csv line 4, port",
        "m.csv line 5, guek",
    ]


@pytest.mark.parametrize(
    ("octets", "words"),
    [(b"a,b\n", "unknown column"), (b"", "header"), (b"serial,host\nx,y\n", "port"), (b"\xff\xfe\n", "UTF-8")],
)
def test_a_file_that_cannot_be_used_is_named(place, octets, words):
    (place / "m.csv").write_bytes(octets)
    done = meterway("import", "m.csv", cwd=place)
    assert done.returncode == 2
    assert b"m.csv" in done.stderr
    assert words.encode() in done.stderr


def test_no_key_stands_in_clear_in_the_store(place):
    key = "0123456789abcdef" * 2
    (place / "m.csv").write_text(f"{HEAD}A1,127.0.0.1,4059,{key},{key}\n")
    assert meterway("import", "m.csv", cwd=place).returncode == 0
    kept = b"".join(path.read_bytes() for path in place.glob("s.sqlite*"))
    assert bytes.fromhex(key) not in kept
    assert key.encode() not in kept
