"""Who can reach an address that the program listens at."""

import ipaddress

__all__ = ["is_local"]


def is_local(host: str) -> bool:
    """Whether this machine alone can. A name that is not ``localhost`` may stand for anything."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
