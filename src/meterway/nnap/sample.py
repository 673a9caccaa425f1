"""The commented settings file that ``--write-config`` writes."""

from typing import Final

__all__ = ["SAMPLE"]

SAMPLE: Final = """\
# Settings of a Meterway concentrator (NNAP). Every line that is commented out shows its default or an example.

# Unique among your concentrators; system titles and keys derive from it.
serial = "NNAP00000001"
# mode = "hybrid"                  # "router" (end to end only), "store" (reads ahead only), "hybrid" (both)

# White list, sealed keys, counters, what was read, events and reports that wait.
# store = "nnap.sqlite"
# master_key = "nnap.key"          # seals the nodes' keys; made with mode 0600 at first start. Back it up apart.
# keep_days = 40

# Towards the head end: DLMS, wrapper on TCP.
[wan]
# host = "127.0.0.1"
# port = 4059
# allow = ["192.0.2.7"]            # who may connect, addresses or networks: the head end, and concentrators above.
#                                  # Without it nodes are reached end to end from this machine only
# lines = 64                       # the most that are open, lines_of_one from one address
# idle_s = 300.0                   # a silent line is cut

[[parties]]
name = "operator"
client = 1
secret = "env:NNAP_OPERATOR"       # at least 16 octets as hex, or env:NAME that holds them
rights = ["read", "command", "configure"]

# [network]                        # the simulated neighbourhood of a hub
# profile = "prime"
# port = 10200
# node = 0
# time_factor = 1.0                # as of "meterway neighbourhood --time-factor": joining takes minutes at 1
# routes_s = 60.0                  # how often the medium's model is asked for its routes

# [[nodes]]                        # who may join; anybody else is proposed to the head end
# eui = "4d57593132333435"
# serial = "M0001"
# title = "4d57593132333435"
# guek = "env:M0001_GUEK"          # without keys the node is reached end to end only
# gak = "env:M0001_GAK"
# client = 5                       # as which client of the meter it reads; not the head end's
# role = "meter"                   # meter, supervision (of the transformer), gateway (LNAP), nnap, home

# [[radios]]                       # a receiver on the mast; the same settings as a gateway's (meterway lnap)
# receiver = "amb8465"             # or lines, im871a, rc1180; without one the simulated air of a radio hub
# serial = "/dev/ttyUSB0"
# mode = "T2"
# port = 4870                      # of the simulated air: meterway radio
# hears = ["S1", "T1", "C1", "N1a"]

# [[battery_meters]]               # who of those that are heard is ours; a head end may bind others by order
# address = "MWY-10000001-01-03"   # manufacturer, number, version, device type
# channel = 1                      # its logical device is 4096 and the channel
# key = "env:GAS_KEY"
# security = "B"                   # the least that is accepted: plain, A, B or D

# [collector]                      # how battery meters are kept
# store = "nnap-heard.sqlite"      # white list, sealed keys, counters, orders, readings
# ident = "12345678"               # its own address on the air; without one, from its serial
# zone = "UTC"                     # of the meters' clocks
# period_s = 3600                  # one reading of every register in this time
# keep_days = 40
# silent_after_s = 172800.0        # a meter that was not heard for so long is told of
# order_valid_s = 604800.0         # how long an order waits for a meter to listen

# [plan]                           # how the slow medium is shared
# parallel = 2                     # conversations at once
# every_s = 21600.0                # each meter is read so often
# windows = ["22:00-06:00"]        # bulk is read then (UTC); questions from above are always answered
# clock_limit_s = 10.0             # a clock that is off by more is set

# [broadcast]                      # the keys that the meters share for broadcasts
# encryption = "env:GBEK"
# authentication = "env:GBAK"
# block_s = 1.5                    # a block of firmware so often: what one broadcast takes on the medium

# [balance]                        # of the transformer, once a node has the role "supervision"
# low = -0.02                      # the band of the loss, as shares of what went into the network
# high = 0.06
# days = 3                         # an alarm after so many days beyond it
# complete = 0.75                  # a day of which less is known of everybody is not judged
# leave_out = []                   # serials of nodes that take nothing from this transformer

# [alarms]                         # of the network: nodes lost, branches gone, strangers, noise
# lost_s = 900.0                   # a node that has left is missed after so long
# branch = 3                       # so many gone behind one that is gone are one alarm
# push_host = "headend.example"    # the head end's port for pushes; without one alarms are reported and shown only
# push_port = 4061
# party = "operator"

# [report]                         # bulk, pushed and acknowledged
# url = "https://headend.example/g2/reports"
# token = "env:REPORT_TOKEN"
# form = "json"                    # or "xml"
# every_s = 900.0

# [wake]                           # lines that the concentrator opens to the head end
# host = "headend.example"
# port = 4062
# party = "operator"
# retry_s = 30.0                   # how often it calls while something waits that a meter said by itself
# listen_port = 4063               # UDP, for wake-up datagrams under the party's keys

# [[children]]                     # a concentrator behind this one, over TCP
# eui = "4d57590000000002"
# serial = "NNAP00000002"
# host = "10.0.0.2"
# port = 4059
"""
