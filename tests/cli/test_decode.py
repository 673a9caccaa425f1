import json
import subprocess
import sys

import pytest

from command_line import json_lines, meterway
from meterway.base.crc import arc

GET_CLOCK = "c0010000080000010000ff0200"
FRAME = "7ea02903211316a4e6e7000f40000000000101020309060100010700ff060000067d02020f00161b1c057e"
PUSH = "0f40000000000101020309060100010700ff060000067d02020f00161b"
P1 = b"/XMX5LGBBLB2410065887\r\n\r\n1-0:1.8.1(004179.186*kWh)\r\n!\r\n"


@pytest.mark.covers("IF-I", "IF-H1")
def test_each_line_of_hex_gives_one_line_of_json_in_order(tmp_path):
    done = meterway("decode", cwd=tmp_path, stdin=f"{GET_CLOCK}\n\n# a remark\n{PUSH}\nzz\n".encode())
    first, second, third = json_lines(done)
    assert done.returncode == 0
    assert first["layers"][0]["attribute"] == {"class": 8, "obis": "0-0:1.0.0*255", "attribute": 2}
    assert [(row["obis"], row["value"], row["unit"]) for row in second["readings"]] == [("1-0:1.7.0", 1661, "W")]
    assert third["ok"] is False
    assert third["error"]["kind"] == "input"


def test_lines_of_text_before_the_first_hex_are_faults_of_their_own(tmp_path):
    answers = json_lines(meterway("decode", cwd=tmp_path, stdin=f"meter reading of May\n{PUSH}\n".encode()))
    assert [answer["ok"] for answer in answers] == [False, True]


@pytest.mark.parametrize("written", ["\ufeff{}\n", "0x{}\r\n", "\n# a remark\n{}"])
def test_hex_as_editors_and_programs_write_it_is_taken(tmp_path, written):
    (answer,) = json_lines(meterway("decode", cwd=tmp_path, stdin=written.format(PUSH).encode()))
    assert answer["ok"], answer


def test_a_telegram_that_comes_down_a_pipe_is_decoded_before_the_next_one_comes(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "meterway", "decode"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path
    )
    for _ in range(2):
        process.stdin.write(f"{PUSH}\n".encode())
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["ok"]
    rest, _ = process.communicate(timeout=60)
    assert rest == b""


def test_raw_octets_of_a_p1_telegram_are_found_by_themselves(tmp_path):
    (answer,) = json_lines(meterway("decode", cwd=tmp_path, stdin=P1))
    assert answer["protocol"] == "p1"
    assert answer["readings"][0]["value"] == 4179.186


def test_json_lines_may_bring_their_own_keys(tmp_path):
    # known-answer vector: GET clock, authenticated and encrypted, published with the keys of the Green Book's example
    row = {
        "hex": "c81e3001234567411312ff935a47566827c467bc7d825c3be4a77c3fcc056b6b",
        "key": "000102030405060708090a0b0c0d0e0f",
        "auth_key": "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf",
        "system_title": "4d4d4d0000bc614e",
    }
    wrong = {**row, "key": "ff" * 16}
    stdin = (json.dumps(row) + "\n" + json.dumps(wrong) + "\n{}\n").encode()
    good, bad, empty = json_lines(meterway("decode", cwd=tmp_path, stdin=stdin))
    assert good["security"]["authenticated"] is True
    assert good["layers"][-1]["layer"] == "get-request"
    assert bad["error"]["kind"] == "tag"
    assert empty["error"]["kind"] == "input"


def test_a_key_that_is_not_hex_is_wrong_usage(tmp_path):
    done = meterway("decode", "--key", "zz", cwd=tmp_path, stdin=b"")
    assert done.returncode == 2
    assert b"--key: 'zz' is not hex" in done.stderr


def test_the_exit_status_can_tell_that_a_telegram_was_refused(tmp_path):
    assert meterway("decode", cwd=tmp_path, stdin=b"00\n").returncode == 0
    assert meterway("decode", "--exit-status", cwd=tmp_path, stdin=b"00\n").returncode == 1


@pytest.mark.covers("SEC-11")
def test_random_octets_never_crash_the_command(tmp_path):
    import random

    octets = random.Random(7).randbytes(4000)
    lines = b"\n".join(octets[i : i + 40].hex().encode() for i in range(0, 4000, 40))
    answers = json_lines(meterway("decode", cwd=tmp_path, stdin=lines))
    assert len(answers) == 100
    assert all(answer["ok"] or answer["error"]["kind"] != "internal" for answer in answers)


OWN_METER = "1344AE4C7856341201077A0100000002FF070500"
OWN_DRIVER = 'title = "Mine"\n[[match]]\nmanufacturer = "SEN"\n[[record]]\nvif = "FF07"\nname = "visits"\n'


@pytest.mark.covers("IF-M")
def test_a_folder_of_drivers_of_ones_own_names_what_a_meter_sends(tmp_path):
    folder = tmp_path / "drivers"
    folder.mkdir()
    (folder / "mine.toml").write_text(OWN_DRIVER, "utf-8")
    stdin = OWN_METER.encode()
    plain, named = (
        json_lines(meterway("decode", *more, cwd=tmp_path, stdin=stdin))[0] for more in ((), ("--drivers", "drivers"))
    )
    assert "driver" not in plain["device"]
    assert named["device"]["driver"] == "mine"
    assert (named["readings"][0]["name"], named["readings"][0]["value"]) == ("visits", 5)


def test_a_mistake_in_a_driver_is_told_with_file_and_field(tmp_path):
    (tmp_path / "mine.toml").write_text(OWN_DRIVER.replace("vif", "wif"), "utf-8")
    done = meterway("decode", "--drivers", ".", cwd=tmp_path, stdin=OWN_METER.encode())
    assert done.returncode == 2
    assert "mine.toml, record 1, wif: no such field" in done.stderr.decode()
    done = meterway("decode", "--driver", "nobody", cwd=tmp_path, stdin=OWN_METER.encode())
    assert "there is no driver 'nobody'" in done.stderr.decode()


def p1(reading: str) -> bytes:
    text = f"/MWY5\\2METER\r\n\r\n1-0:1.8.0({reading}*kWh)\r\n!".encode()
    return text + f"{arc(text):04X}\r\n".encode()


@pytest.mark.covers("IF-H1")
def test_telegrams_of_a_port_are_told_as_they_come(tmp_path):
    command = [sys.executable, "-m", "meterway", "decode", "--json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path) as process:
        for reading in ("000001.000", "000002.000"):
            process.stdin.write(p1(reading))
            process.stdin.flush()
            told = json.loads(process.stdout.readline())
            assert told["readings"][0]["value"] == float(reading)
        without_crc = b"/MWY5\\2METER\r\n\r\n1-0:1.8.0(000003.000*kWh)\r\n!\r\n"
        process.stdin.write(without_crc + without_crc)
        process.stdin.close()
        last = [json.loads(line) for line in process.stdout]
    assert [one["readings"][0]["value"] for one in last] == [3.0, 3.0]


@pytest.mark.covers("IF-H1")
def test_a_dump_of_frames_in_rows_is_put_together(tmp_path):
    rows = [(FRAME * 2)[i : i + 32] for i in range(0, len(FRAME) * 2, 32)]
    answers = json_lines(meterway("decode", cwd=tmp_path, stdin="\n".join(["a dump", *rows, "", PUSH]).encode()))
    assert [answer["ok"] for answer in answers] == [False, True, True, True]


def test_a_frame_that_is_cut_off_is_a_telegram_of_its_own(tmp_path):
    answers = json_lines(
        meterway("decode", cwd=tmp_path, stdin=f"{FRAME[:40]}\n{PUSH}\n{FRAME}\n{FRAME[:40]}".encode())
    )
    assert [answer["ok"] for answer in answers] == [False, True, True, False]


@pytest.mark.covers("IF-H1", "IF-M")
def test_a_file_of_raw_frames_gives_an_answer_for_each(tmp_path):
    raw = bytes.fromhex(FRAME) * 3 + bytes.fromhex("6820206808017278563412ae4c010700000000")
    answers = json_lines(meterway("decode", cwd=tmp_path, stdin=raw))
    assert [answer["ok"] for answer in answers] == [True, True, True, False]


@pytest.mark.parametrize(
    "key",
    ["000102030405060708090A0B0C0D0E0F", "0x000102030405060708090a0b0c0d0e0f", ":".join(f"{i:02x}" for i in range(16))],
)
def test_a_key_may_be_written_in_several_ways(tmp_path, key):
    sealed = "c81e3001234567411312ff935a47566827c467bc7d825c3be4a77c3fcc056b6b"
    more = ("--auth-key", "d0d1d2d3 d4d5d6d7 d8d9dadb dcdddedf", "--system-title", "4D4D4D0000BC614E")
    (answer,) = json_lines(meterway("decode", "--key", key, *more, cwd=tmp_path, stdin=sealed.encode()))
    assert answer["security"]["authenticated"] is True


def test_lines_of_a_log_give_the_telegram_in_them(tmp_path):
    log = f"2026-05-01 10:00:00.123 [D][uart:12] <- {FRAME}\n10:00:01 <- 0x{PUSH}\n"
    answers = json_lines(meterway("decode", cwd=tmp_path, stdin=log.encode()))
    assert [answer["readings"][0]["value"] for answer in answers] == [1661, 1661]
