"""The ports of the services, from the environment."""

import socket

import pytest

from deploy.local.errors import PortInUseError
from deploy.local.ports import free_ports
from deploy.local.services import read_ports


def _three_free() -> dict[str, str]:
    names = ("HOTLINE_INTAKE_PORT", "HOTLINE_DEDUP_PORT", "HOTLINE_REFERRAL_PORT")
    return dict(zip(names, map(str, free_ports(3)), strict=True))


def test_ports_are_those_of_the_environment() -> None:
    given = _three_free()
    assert list(read_ports(given).values()) == [int(port) for port in given.values()]


def test_a_port_in_use_is_named_with_its_variable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortInUseError, match=f"port {port}, .* dedup .* HOTLINE_DEDUP_PORT"):
            read_ports(_three_free() | {"HOTLINE_DEDUP_PORT": str(port)})


@pytest.mark.parametrize("value", ["http", "0", "65536", "-1"])
def test_what_is_no_port_is_said_to_be_none(value: str) -> None:
    with pytest.raises(PortInUseError, match=f"HOTLINE_INTAKE_PORT is '{value}'; it should be a port number"):
        read_ports(_three_free() | {"HOTLINE_INTAKE_PORT": value})


def test_two_services_cannot_have_one_port() -> None:
    given = _three_free()
    with pytest.raises(PortInUseError, match="HOTLINE_INTAKE_PORT and HOTLINE_REFERRAL_PORT both name"):
        read_ports(given | {"HOTLINE_REFERRAL_PORT": given["HOTLINE_INTAKE_PORT"]})
