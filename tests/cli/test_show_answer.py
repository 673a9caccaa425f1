from meterway.cli.show_answer import show_answer


def test_a_value_is_shown_with_its_unit(capsys):
    show_answer({"ok": True, "obis": "1-0:1.8.0*255", "name": "n", "attribute": "value", "value": 5, "unit": "Wh"})
    assert "5 Wh" in capsys.readouterr().out


def test_a_refusal_and_a_failure_are_told(capsys):
    show_answer({"ok": False, "refusal": "read-write-denied"})
    show_answer({"ok": False, "error": {"kind": "link", "message": "nobody there"}})
    out = capsys.readouterr().out
    assert "read-write-denied" in out
    assert "nobody there" in out


def test_a_profile_is_a_table_with_codes_and_units(capsys):
    columns = [
        {"obis": "0-0:1.0.0*255", "name": "clock", "unit": ""},
        {"obis": "1-0:1.8.0*255", "name": "import", "unit": "Wh"},
    ]
    show_answer({"ok": True, "value": {"period_s": 900, "columns": columns, "rows": [["2026-11-01T00:00:00Z", 5]]}})
    out = capsys.readouterr().out
    assert "1-0:1.8.0" in out
    assert "2026-11-01T00:00:00Z" in out
    assert "1 rows" in out


def test_objects_are_listed(capsys):
    show_answer({"ok": True, "objects": [{"class": 3, "version": 0, "obis": "1-0:1.8.0*255"}]})
    assert "1-0:1.8.0*255" in capsys.readouterr().out
