"""Who may do what: the clients of a load controller as sets of rights."""

from meterway.home.objects.table import BROADCAST, CONSUMER, OPERATOR, PARTIES, PUBLIC
from meterway.stacks.dlms.tabled import Right


def who_may(right):
    return {client for client, party in PARTIES.items() if right in party.rights}


def test_each_right_is_that_of_a_set_of_clients():
    assert who_may(Right.READ) == {OPERATOR, CONSUMER}
    assert who_may(Right.COMMAND) == {OPERATOR, BROADCAST}
    assert who_may(Right.CONFIGURE) == {OPERATOR}
    assert who_may(Right.CONSENT) == {CONSUMER}
    assert PARTIES[PUBLIC].rights is Right.EVERY_PARTY
