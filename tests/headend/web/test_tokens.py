"""API tokens."""

import stat

import pytest

from meterway.base.errors import ConfigError
from meterway.headend.web.tokens import Tokens, new_token

pytestmark = pytest.mark.covers("SEC-09")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tokens"


def test_a_token_is_known_by_its_name(path):
    token = new_token(path, "anna")
    assert Tokens(path).name_of(token) == "anna"


def test_the_file_never_holds_the_token_and_is_its_owners_only(path):
    token = new_token(path, "anna")
    assert token not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("wrong", ["", "mw_", "ünknown", "x" * 10_000, "\udcff"])
def test_another_token_is_nobody(path, wrong):
    new_token(path, "anna")
    assert Tokens(path).name_of(wrong) is None


def test_two_tokens_never_share_a_name(path):
    new_token(path, "anna")
    with pytest.raises(ConfigError, match="already"):
        new_token(path, "anna")


@pytest.mark.parametrize("name", ["", "two words", "new\nline", "-x", "a" * 65])
def test_a_name_is_one_word(path, name):
    with pytest.raises(ConfigError, match="name"):
        new_token(path, name)


def test_a_token_made_or_taken_out_later_counts_at_once(path):
    tokens = Tokens(path)
    assert not tokens
    token = new_token(path, "anna")
    assert tokens
    assert tokens.name_of(token) == "anna"
    path.write_text("# none left\n")
    assert tokens.name_of(token) is None


def test_a_file_that_is_no_file_of_tokens_is_named_with_its_line(path):
    path.write_text("# tokens\nanna secret\n")
    with pytest.raises(ConfigError, match="line 2"):
        Tokens(path)


def test_a_file_that_becomes_wrong_lets_nobody_in(path):
    token = new_token(path, "anna")
    tokens = Tokens(path)
    path.write_text("anna secret and more\n")
    assert tokens.name_of(token) is None


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(ConfigError, match="missing"):
        new_token(tmp_path / "missing" / "tokens", "anna")


def test_without_a_file_there_are_no_tokens():
    assert Tokens(None).name_of("x") is None
