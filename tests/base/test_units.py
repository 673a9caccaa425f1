"""Unit codes and symbols lead to each other; what the table does not have is still said."""

import pytest

from meterway.base.units import UNIT_CODES, UNIT_SYMBOLS, code_of, symbol_of


@pytest.mark.parametrize(
    ("code", "symbol"), [(27, "W"), (30, "Wh"), (32, "varh"), (33, "A"), (35, "V"), (44, "Hz"), (13, "m³"), (255, "")]
)
def test_a_code_of_the_norm_has_its_symbol(code, symbol):
    assert symbol_of(code) == symbol
    assert code_of(symbol) == code


def test_every_symbol_leads_back_to_a_code_of_that_symbol():
    assert {symbol_of(code_of(symbol)) for symbol in UNIT_SYMBOLS.values()} == set(UNIT_SYMBOLS.values())
    assert all(UNIT_SYMBOLS[code] == symbol for symbol, code in UNIT_CODES.items())


def test_an_unknown_code_is_named_and_an_unknown_symbol_is_other():
    assert symbol_of(200) == "unit 200"
    assert code_of("furlong") == 254
