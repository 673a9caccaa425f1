"""Settings."""

from meterway.store.database import Store


def test_a_setting_is_what_it_was_set_to_last(store: Store) -> None:
    assert store.settings.get("town", "none") == "none"
    store.settings.put("town", "Aldorf")
    store.settings.put("town", "Bedorf")
    assert store.settings.get("town") == "Bedorf"
    assert store.settings.all() == {"town": "Bedorf"}
