"""Setup of ports and networks: optical port, HDLC, TCP-UDP, IPv4 (classes 19, 23, 41, 42)."""

from __future__ import annotations

from dataclasses import dataclass

from meterway.stacks.dlms.classes.model import declare, method, static
from meterway.stacks.dlms.classes.types import (
    BOOLEAN,
    DOUBLE_LONG_UNSIGNED,
    ENUM,
    INTEGER,
    LONG_UNSIGNED,
    OBIS,
    OCTETS,
    UNSIGNED,
    array,
    structure,
)

__all__ = ["CLASSES", "IpOption"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IpOption:
    """One option of the IP header."""

    type: int
    length: int
    data: bytes


_OPTICAL = (
    static("default_mode", ENUM),
    static("default_baud", ENUM),
    static("prop_baud", ENUM),
    static("response_time", ENUM),
    static("device_addr", OCTETS),
    static("pass_p1", OCTETS),
    static("pass_p2", OCTETS),
    static("pass_w5", OCTETS),
)

CLASSES = (
    declare(19, 0, "IEC local port setup", attributes=_OPTICAL),
    declare(19, 1, "IEC local port setup", attributes=_OPTICAL),
    declare(
        23,
        1,
        "IEC HDLC setup",
        attributes=(
            static("comm_speed", ENUM),
            static("window_size_transmit", UNSIGNED),
            static("window_size_receive", UNSIGNED),
            static("max_info_field_length_transmit", LONG_UNSIGNED),
            static("max_info_field_length_receive", LONG_UNSIGNED),
            static("inter_octet_time_out", LONG_UNSIGNED),
            static("inactivity_time_out", LONG_UNSIGNED),
            static("device_address", LONG_UNSIGNED),
        ),
    ),
    declare(
        41,
        0,
        "TCP-UDP setup",
        attributes=(
            static("tcp_udp_port", LONG_UNSIGNED),
            static("ip_reference", OBIS),
            static("mss", LONG_UNSIGNED),
            static("nb_of_sim_conn", UNSIGNED),
            static("inactivity_time_out", LONG_UNSIGNED),
        ),
    ),
    declare(
        42,
        0,
        "IPv4 setup",
        attributes=(
            static("dl_reference", OBIS),
            static("ip_address", DOUBLE_LONG_UNSIGNED),
            static("multicast_ip_address", array(DOUBLE_LONG_UNSIGNED)),
            static("ip_options", array(structure(IpOption, UNSIGNED, UNSIGNED, OCTETS))),
            static("subnet_mask", DOUBLE_LONG_UNSIGNED),
            static("gateway_ip_address", DOUBLE_LONG_UNSIGNED),
            static("use_dhcp_flag", BOOLEAN),
            static("primary_dns_address", DOUBLE_LONG_UNSIGNED),
            static("secondary_dns_address", DOUBLE_LONG_UNSIGNED),
        ),
        methods=(
            method("add_mc_ip_address", DOUBLE_LONG_UNSIGNED),
            method("delete_mc_ip_address", DOUBLE_LONG_UNSIGNED),
            method("get_nbof_mc_ip_addresses", INTEGER),
        ),
    ),
)
