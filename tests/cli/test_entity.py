import contextlib
import json
import re
import socket
import tomllib

import pytest

from command_line import meterway, running


def settings(tmp_path, **changes):
    """A meter's and a head end's files on free ports."""
    assert meterway("meter", "--write-config", "meter.toml", cwd=tmp_path).returncode == 0
    assert meterway("headend", "--write-config", "headend.toml", cwd=tmp_path).returncode == 0
    meter = (tmp_path / "meter.toml").read_text()
    (tmp_path / "meter.toml").write_text(re.sub(r"(?m)^port = 4059", "port = 0", meter))
    head = (tmp_path / "headend.toml").read_text()
    head = head.replace("# port = 8480", "port = 0").replace("# port = 4061", "port = 0")
    (tmp_path / "headend.toml").write_text(head)


@pytest.mark.covers("UC-BI-02", "UC-BI-05", "IF-I", "F1a", "F4a", "E-HES-3", "E-HES-4", "E-HES-10")
def test_meter_and_head_end_alone_work_together(tmp_path):
    settings(tmp_path)
    with running("meter", "meter.toml", "--json", cwd=tmp_path, until="listening") as told:
        port = json.loads(told.splitlines()[-1])["port"]
        registry = meterway("meter", "meter.toml", "--csv", cwd=tmp_path).stdout.decode()
        (tmp_path / "meters.csv").write_text(re.sub(r",127\.0\.0\.1,\d+,", f",127.0.0.1,{port},", registry))
        assert meterway("import", "meters.csv", cwd=tmp_path).returncode == 0
        alone = json.loads(meterway("read", "M0001", "1.8.0", "--json", cwd=tmp_path).stdout)
        assert alone["ok"]
        assert alone["unit"] == "Wh"
        with running("headend", "headend.toml", "--json", cwd=tmp_path, until='"pages"'):
            second = meterway("headend", "headend.toml", cwd=tmp_path)
            assert second.returncode == 2
            assert b"already runs" in second.stderr
            through = json.loads(meterway("read", "M0001", "1.8.0", "--json", cwd=tmp_path).stdout)
            assert through["value"] >= alone["value"]
            done = meterway("act", "M0001", "disconnect-control", "remote_disconnect", cwd=tmp_path)
            assert done.returncode == 0
            state = meterway("read", "M0001", "disconnect-control", "--attribute", "control_state", cwd=tmp_path)
            assert b"disconnected" in state.stdout
            unknown = meterway("read", "M0009", "1.8.0", cwd=tmp_path)
            assert unknown.returncode == 1
            assert b"M0009" in unknown.stdout


def test_a_settings_file_that_is_there_is_left_as_it_is(tmp_path):
    (tmp_path / "meter.toml").write_text("mine")
    done = meterway("meter", "--write-config", "meter.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert (tmp_path / "meter.toml").read_text() == "mine"


@pytest.mark.covers("SEC-02")
def test_written_keys_differ_each_time_and_are_for_their_owner_only(tmp_path):
    texts = []
    for name in ("a.toml", "b.toml"):
        assert meterway("meter", "--write-config", name, cwd=tmp_path).returncode == 0
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
        texts.append((tmp_path / name).read_text())
    keys = [re.findall(r'(?m)^(?:guek|gak|kek|lls) *= *"([0-9a-f]+)"', text) for text in texts]
    assert len(keys[0]) == 4
    assert not set(keys[0]) & set(keys[1])


@pytest.mark.parametrize("entity", ["meter", "display", "lnap", "headend"])
def test_an_entity_without_a_file_says_how_to_get_one(tmp_path, entity):
    done = meterway(entity, cwd=tmp_path)
    assert done.returncode == 2
    assert b"--write-config" in done.stderr


@pytest.mark.parametrize("entity", ["meter", "display", "lnap", "headend"])
def test_a_wrong_settings_file_is_named_with_its_fault(tmp_path, entity):
    (tmp_path / "x.toml").write_text("= 1\n")
    done = meterway(entity, "x.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert b"x.toml" in done.stderr
    assert b"line 1" in done.stderr


def test_a_token_is_shown_once_and_kept_as_a_hash(tmp_path):
    (tmp_path / "headend.toml").write_text('[web]\ntokens = "tokens"\n')
    done = meterway("headend", "headend.toml", "--new-token", "grid", cwd=tmp_path)
    token = done.stdout.decode().strip()
    assert done.returncode == 0
    assert token
    assert token not in (tmp_path / "tokens").read_text()


@pytest.mark.parametrize("transport", ["tcp", "hdlc"])
@pytest.mark.parametrize("sharing", ["port-per-meter", "wrapper-ports"])
def test_every_way_in_that_the_csv_names_leads_to_that_meter(tmp_path, transport, sharing):
    with contextlib.ExitStack() as free:
        # Two ports in a row that nobody uses now.
        for _ in range(50):
            first = free.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                free.enter_context(socket.create_server(("127.0.0.1", first + 1)))
                break
    (tmp_path / "meter.toml").write_text(
        f'secret = "{"00" * 16}"\n[[meter]]\nserial = "K1"\ncount = 2\n'
        f'[[listen]]\nport = 0\ntransport = "udp"\n'
        f'[[listen]]\nport = {first}\ntransport = "{transport}"\nsharing = "{sharing}"\n'
    )
    assert meterway("headend", "--write-config", "headend.toml", cwd=tmp_path).returncode == 0
    (tmp_path / "meters.csv").write_bytes(meterway("meter", "meter.toml", "--csv", cwd=tmp_path).stdout)
    done = meterway("import", "meters.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with running("meter", "meter.toml", cwd=tmp_path, until=f"K2, transport {transport}"):
        for serial in ("K1", "K2"):
            answer = json.loads(meterway("read", serial, "0-0:42.0.0", "--json", cwd=tmp_path).stdout)
            assert answer.get("value", "").endswith(serial), answer


def test_meters_on_udp_only_are_nothing_a_head_end_can_call(tmp_path):
    (tmp_path / "meter.toml").write_text(
        f'secret = "{"00" * 16}"\n[[meter]]\nserial = "K1"\n[[listen]]\ntransport = "udp"\n'
    )
    done = meterway("meter", "meter.toml", "--csv", cwd=tmp_path)
    assert done.returncode == 2
    assert b"listen" in done.stderr


def test_a_serial_that_no_meter_can_have_is_not_written(tmp_path):
    done = meterway("meter", "--write-config", "--serial", "no such!", "meter.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert b"--serial" in done.stderr
    assert not (tmp_path / "meter.toml").exists()


def test_a_token_comes_as_json_too(tmp_path):
    (tmp_path / "headend.toml").write_text('[web]\ntokens = "tokens"\n')
    done = meterway("headend", "headend.toml", "--new-token", "grid", "--json", cwd=tmp_path)
    made = json.loads(done.stdout)
    assert made["name"] == "grid"
    assert made["token"] not in (tmp_path / "tokens").read_text()


def test_settings_mean_the_same_from_every_folder(tmp_path):
    settings(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "meters.csv").write_bytes(b"serial,host,port\nK1,127.0.0.1,1\n")
    done = meterway("import", "../meters.csv", "--config", "../headend.toml", cwd=tmp_path / "elsewhere")
    assert b"K1" not in done.stdout
    assert (tmp_path / "meterway.sqlite").exists()
    assert not list((tmp_path / "elsewhere").glob("meterway*"))


def test_a_meter_that_was_ended_in_order_answers_again_after_its_restart(tmp_path):
    settings(tmp_path)
    assert 'counters = "' in (tmp_path / "meter.toml").read_text()
    for _ in range(2):
        with running("meter", "meter.toml", "--json", cwd=tmp_path, until="listening") as told:
            port = json.loads(told.splitlines()[-1])["port"]
            registry = meterway("meter", "meter.toml", "--csv", cwd=tmp_path).stdout.decode()
            (tmp_path / "meters.csv").write_text(re.sub(r",127\.0\.0\.1,\d+,", f",127.0.0.1,{port},", registry))
            for old in tmp_path.glob("meterway.sqlite*"):
                old.replace(tmp_path / f"old-{port}-{old.name}")
            assert meterway("import", "meters.csv", cwd=tmp_path).returncode == 0
            answer = meterway("read", "M0001", "clock", "--attribute", "time_zone", cwd=tmp_path)
            assert b"closed" not in answer.stdout + answer.stderr


@pytest.mark.covers("E-LNAP", "IF-G1", "SEC-02")
def test_a_gateway_alone_is_read_by_a_head_end(tmp_path):
    assert meterway("lnap", "--write-config", "lnap.toml", cwd=tmp_path).returncode == 0
    assert meterway("headend", "--write-config", "headend.toml", cwd=tmp_path).returncode == 0
    text = (tmp_path / "lnap.toml").read_text()
    assert "env:LNAP" not in text
    (tmp_path / "lnap.toml").write_text(text.replace("# port = 4059", "port = 0"))
    with running("lnap", "lnap.toml", "--json", cwd=tmp_path, until="listening") as told:
        port = json.loads(told.splitlines()[-1])["port"]
        registry = meterway("lnap", "lnap.toml", "--csv", "operator", cwd=tmp_path).stdout.decode()
        (tmp_path / "meters.csv").write_text(registry.replace(",127.0.0.1,0,", f",127.0.0.1,{port},"))
        assert meterway("import", "meters.csv", cwd=tmp_path).returncode == 0
        serial = registry.splitlines()[1].split(",")[0]
        answer = json.loads(meterway("read", serial, "0-0:42.0.0", "--json", cwd=tmp_path).stdout)
        assert answer["ok"], answer


def test_a_gateway_names_the_party_it_does_not_know(tmp_path):
    assert meterway("lnap", "--write-config", "lnap.toml", cwd=tmp_path).returncode == 0
    done = meterway("lnap", "lnap.toml", "--csv", "nobody", cwd=tmp_path)
    assert done.returncode == 2
    assert b"nobody is no party" in done.stderr


@pytest.mark.covers("SEC-03", "E-HES-1")
def test_a_head_end_with_an_empty_store_takes_over_a_meter_that_counted_for_another(tmp_path):
    settings(tmp_path)
    with running("meter", "meter.toml", "--json", cwd=tmp_path, until="listening") as told:
        port = json.loads(told.splitlines()[-1])["port"]
        registry = meterway("meter", "meter.toml", "--csv", cwd=tmp_path).stdout.decode()
        (tmp_path / "meters.csv").write_text(re.sub(r",127\.0\.0\.1,\d+,", f",127.0.0.1,{port},", registry))
        for store in ("one", "two"):
            (tmp_path / f"{store}.toml").write_text(f'store = "{store}.sqlite"\nmaster_key = "{store}.key"\n')
            meterway("import", "meters.csv", "--config", f"{store}.toml", cwd=tmp_path)
        for store in ("one", "two", "one", "two"):
            done = meterway("read", "M0001", "1.8.0", "--json", "--config", f"{store}.toml", cwd=tmp_path)
            answer = json.loads(done.stdout)
            assert answer["ok"], (store, answer)


@pytest.mark.covers("E-NNAP-1")
def test_meters_on_a_network_are_listed_for_a_concentrator(tmp_path):
    secret = "00112233445566778899aabbccddeeff"
    (tmp_path / "meter.toml").write_text(
        f'secret = "{secret}"\n[network]\nport = 10200\n[[meter]]\nserial = "A1"\ncount = 2\n'
    )
    listed = meterway("meter", "meter.toml", "--white-list", cwd=tmp_path).stdout.decode()
    nodes = tomllib.loads(listed)["nodes"]
    assert [node["serial"] for node in nodes] == ["A1", "A2"]
    assert all(len(bytes.fromhex(node[name])) == 16 for node in nodes for name in ("key", "guek", "gak"))
    assert len({node["eui"] for node in nodes}) == 2
    refused = meterway("meter", "meter.toml", "--csv", cwd=tmp_path)
    assert refused.returncode == 2
    assert b"through a concentrator" in refused.stderr
