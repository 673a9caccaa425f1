import pytest

from meterway.links.medium.duty import BANDS, DutyCycle

T, S, N, ELSEWHERE = 868_950_000, 868_300_000, 169_406_250, 915_000_000


@pytest.mark.parametrize(("frequency", "seconds"), [(T, 3.6), (S, 36.0), (N, 360.0)])
def test_a_station_may_use_its_share_of_an_hour_and_no_more(frequency: int, seconds: float) -> None:
    account = DutyCycle()
    sent = sum(account.spend(frequency, 0.1, now * 0.5) for now in range(4000))
    assert sent == pytest.approx(seconds / 0.1, abs=1)
    assert account.used_s(frequency, 2000.0) <= seconds + 1e-9


def test_after_an_hour_the_share_is_there_again() -> None:
    account = DutyCycle()
    assert account.spend(T, 3.5, 0.0)
    assert not account.spend(T, 0.2, 3599.0)
    assert account.spend(T, 0.2, 3600.0)
    assert account.used_s(T, 3600.0) == pytest.approx(0.2)


def test_bands_are_counted_apart_and_an_unnamed_band_is_free() -> None:
    account = DutyCycle()
    assert account.spend(T, 3.6, 0.0)
    assert account.spend(S, 3.6, 0.0)
    assert all(account.spend(ELSEWHERE, 100.0, 0.0) for _ in range(100))
    assert account.used_s(ELSEWHERE, 0.0) == 0.0


def test_bands_do_not_overlap() -> None:
    edges = [edge for band in BANDS for edge in (band.low_hz, band.high_hz)]
    assert edges == sorted(edges)
