"""The concentrator on a port and a clock."""

from nnap_network import Network


def test_hops_are_known_of_each_node_and_a_closed_one_does_nothing_more():
    network = Network(meters=3, hops=3).start()
    network.run(60)
    assert [network.node(number).hops for number in (1, 2, 3)] == [1, 2, 3]
    network.driver.close()
    sent = network.carrier.sent.total()
    network.run(86400)
    assert network.carrier.sent.total() == sent


def test_what_is_asked_from_outside_is_sent_at_once():
    network = Network(meters=1).start()
    network.run(60)
    answers = []
    network.driver.call(
        lambda device, now: device.carry(
            network.node().eui, b"\x60\x00", client=16, server=1, now=now, answer=lambda apdu, at: answers.append(at)
        )
    )
    network.run(2)
    assert answers
