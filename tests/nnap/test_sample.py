"""The written settings file."""

from meterway.nnap.sample import SAMPLE


def test_the_sample_holds_no_secret():
    assert 'secret = "env:NNAP_OPERATOR"' in SAMPLE
    assert 'token = "env:' in SAMPLE
