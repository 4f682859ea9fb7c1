"""Finds nodes: a beacon and mDNS tell who is there, `hello` at an address tells whether a node is alive.

Only announced() and what is given networks ask a network; a name is looked for where the cache knows devices.
"""
from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from toolkit import beacon, mdns
from toolkit.errors import LinkError, ToolkitError, UnknownDeviceError, UsageError
from toolkit.inventory import Device, Introduction, Inventory
from toolkit.link.shell import BUSY_PAUSES_S, PORT, ShellLink

Target = tuple[str, int]                     # address, port
Progress = Callable[[int, int], None]        # (addresses asked, addresses in all)

# Where the virtual boards of this machine live: an address each on Linux, elsewhere a port each (simulator/address.py).
_BOARDS = range(1, 21)
LOOPBACK: tuple[Target, ...] = (
    ("127.0.0.1", PORT),
    *((f"127.0.1.{n}", PORT) if sys.platform.startswith("linux") else ("127.0.0.1", 20000 + n) for n in _BOARDS),
)
# A loop-back address under the names that 1.20 gave its simulator: scripts still say them.
ALIASES = {"__simulator__": "127.0.0.1", "__localhost__": "127.0.0.1"}

_HERE = IPv4Address("127.0.0.1")

HELLO_S = 2.0
ANNOUNCE_S = 1.0                             # in which nodes answer a beacon or mDNS
WORKERS = 128
MAX_ADDRESSES = 4096
_CROWD_PAUSES_S = (0.1, 0.3)                 # a busy node gets two more chances when many are asked
_STEPS = 3                                   # waits of one hello: connect, prompt, answer

_PRIVATE = tuple(IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))    # RFC 1918
# SIOCGIFADDR and SIOCGIFNETMASK of <linux/sockios.h>, <sys/sockio.h>
_REQUESTS = {"linux": (0x8915, 0x891B), "darwin": (0xC0206921, 0xC0206925)}
_IFREQ_BYTES, _IFREQ_ADDRESS = 40, slice(20, 24)           # name 16, family 2, port 2, then the IPv4 address


def hello(
    address: str, port: int = PORT, timeout_s: float = HELLO_S, busy_pauses_s: Sequence[float] = BUSY_PAUSES_S
) -> Device:
    """Who answers at an address. Raises LinkError when no node does, RefusedError when it is busy."""
    with ShellLink(address, port, timeout_s=timeout_s, busy_pauses_s=busy_pauses_s) as link:
        name, uid = link.hello()
    return Device(uid, address, port, name)


def hello_all(targets: Iterable[Target], timeout_s: float = HELLO_S, progress: Progress | None = None) -> list[Device]:
    """Who answers at many addresses, asked in parallel; silence is no error. Ends by a deadline of its own.

    A node that answers at several addresses, as one that listens on all of loopback does, is told once, at the first.
    """
    unique = list(dict.fromkeys(targets))
    pool = ThreadPoolExecutor(max_workers=min(WORKERS, len(unique) or 1))
    futures = [pool.submit(_hello_or_none, target, timeout_s) for target in unique]
    try:
        _await(futures, _deadline_s(len(unique), timeout_s), progress)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return list({(device.uid, device.name): device for device in reversed(_heard(futures))}.values())[::-1]


def search(
    networks: Sequence[IPv4Network], port: int = PORT, timeout_s: float = HELLO_S, progress: Progress | None = None
) -> list[Device]:
    """Nodes of whole networks, every host address of them. Raises UsageError for too large ones."""
    return hello_all(targets_of(networks, port), timeout_s, progress)


def targets_of(networks: Sequence[IPv4Network], port: int = PORT) -> list[Target]:
    """Every host address of networks. Raises UsageError for more than can be asked in a reasonable time."""
    count = sum(network.num_addresses for network in networks)
    if count > MAX_ADDRESSES:
        raise UsageError(f"{count} addresses are too many for one search: name networks of {MAX_ADDRESSES} at most")
    return [(str(host), port) for network in networks for host in network.hosts()]


def announced(wait_s: float = ANNOUNCE_S, interfaces: Sequence[IPv4Interface] | None = None) -> list[Introduction]:
    """Nodes that tell of themselves, asked by beacon and by mDNS at the same time; each once.

    interfaces: those of this machine whose networks are asked, None: loopback and all private networks.
    """
    asked = own_interfaces() if interfaces is None else interfaces
    with ThreadPoolExecutor(max_workers=2) as pool:
        ways = [pool.submit(way, asked, wait_s) for way in (beacon.ask, mdns.ask)]
    met = [told for way in ways for told in way.result()]
    return list({told.device.uid: told for told in reversed(met)}.values())[::-1]


def known(inventory: Inventory, timeout_s: float = HELLO_S) -> list[Device]:
    """Devices of the cache, online or not, and the boards that answer on this machine; keeps the latter.

    A device that has moved within its network is shown where it is now.
    """
    inventory.keep(*_moved(inventory), *hello_all(LOOPBACK, timeout_s))
    return list(inventory)


def resolve(tag: str, inventory: Inventory, timeout_s: float = HELLO_S) -> Device:
    """The node that goes by a name, uid, address or address:port, alive and checked with a hello.

    Looks into the cache, then asks the networks and addresses in it and the boards of this machine, and keeps
    what it learns (a node renamed, or moved to another address). Raises UnknownDeviceError when nobody has heard of
    the tag, LinkError when the device is known but does not answer, RefusedError when it is busy.
    """
    tag = ALIASES.get(tag, tag)
    cached = inventory.find(tag)
    typed = address_of(tag, cached)
    if typed:
        device = hello(*typed, timeout_s)
        inventory.keep(device)
        return device
    return _resolve_name(tag, cached, inventory, timeout_s)


def address_of(tag: str, cached: Device | None = None) -> Target | None:
    """(address, port) when a tag is an address and no name; a cached device tells its port."""
    if cached and tag not in (cached.address, cached.where):
        return None
    host, colon, port = tag.rpartition(":")
    if colon and port.isdigit() and _is_host(host):
        return host, int(port)
    if not _is_host(tag):
        return None
    return tag, cached.port if cached else PORT


def own_networks() -> list[IPv4Network]:
    """The private /24 networks this machine has an address in. Sends nothing, needs no default route."""
    nets = {IPv4Network((address, 24), strict=False) for address in _own_addresses() if _is_private(address)}
    return sorted(nets)


def own_interfaces() -> list[IPv4Interface]:
    """The addresses of this machine on loopback and in private networks, with their networks. Sends nothing."""
    return [each for each in _own_interfaces() if each.is_loopback or _is_private(each.ip)]


def _resolve_name(tag: str, cached: Device | None, inventory: Inventory, timeout_s: float) -> Device:
    try:
        return _at_its_place(tag, cached, inventory, timeout_s)
    except (LinkError, UnknownDeviceError) as trouble:
        moved = _moved(inventory)
        met = hello_all([*((device.address, device.port) for device in (*moved, *inventory)), *LOOPBACK], timeout_s)
        inventory.keep(*met)
        by_tag = [device for device in met if device.goes_by(tag)]
        renamed = [device for device in met if cached and device.uid == cached.uid]
        if not by_tag + renamed:
            raise trouble from None
        return (by_tag + renamed)[0]


def _at_its_place(tag: str, cached: Device | None, inventory: Inventory, timeout_s: float) -> Device:
    """The device where the cache says. Raises LinkError or UnknownDeviceError that says why it is not there."""
    if not cached:
        raise UnknownDeviceError(
            f"no device goes by {tag!r} in the cache or on this machine: "
            "check the name, or look for devices with devToolKit.py --search_devices"
        )
    try:
        device = hello(cached.address, cached.port, timeout_s)
    except LinkError as error:
        raise LinkError(f"{cached.name} was last seen at {cached.where}: {error}") from None
    inventory.keep(device)
    if not device.goes_by(tag):
        raise LinkError(f"{cached.name} has left {cached.where}: {device.name} ({device.uid}) answers there")
    return device


def _hello_or_none(target: Target, timeout_s: float) -> Device | None:
    try:
        return hello(*target, timeout_s, _CROWD_PAUSES_S)
    except ToolkitError:
        return None


def _await(futures: Sequence[Future[Device | None]], deadline_s: float, progress: Progress | None) -> None:
    with contextlib.suppress(TimeoutError):
        for done, _ in enumerate(as_completed(futures, deadline_s), 1):
            if progress:
                progress(done, len(futures))


def _heard(futures: Sequence[Future[Device | None]]) -> list[Device]:
    answers = [future.result() for future in futures if future.done() and not future.cancelled()]
    return [device for device in answers if device]


def _deadline_s(count: int, timeout_s: float) -> float:
    rounds = -(-count // WORKERS)
    return rounds * (_STEPS * timeout_s + sum(_CROWD_PAUSES_S)) + 1


def _is_host(text: str) -> bool:
    """True for an IP address or a host name; a name without a dot is a device's."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return text == "localhost" or ("." in text and ":" not in text and " " not in text)
    return True


def _is_private(address: IPv4Address) -> bool:
    return any(address in block for block in _PRIVATE)


def _moved(inventory: Inventory) -> list[Device]:
    """Who answers the beacon in the networks where the cache knows devices, but for this machine: LOOPBACK is that."""
    places = [IPv4Address(device.address) for device in inventory if _is_ipv4(device.address)]
    nets = [each for each in own_interfaces() if each.ip != _HERE and any(at in each.network for at in places)]
    return [told.device for told in beacon.ask(nets, ANNOUNCE_S)] if nets else []


def _is_ipv4(text: str) -> bool:
    try:
        return bool(IPv4Address(text))
    except ValueError:
        return False


def _own_addresses() -> list[IPv4Address]:
    return [each.ip for each in _own_interfaces()]


def _own_interfaces() -> list[IPv4Interface]:
    requests = _REQUESTS.get(sys.platform)
    if requests is None:             # Windows does not tell the masks that easily
        return [IPv4Interface((text, 24)) for text in socket.gethostbyname_ex(socket.gethostname())[2]]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        told = [[_address_of_interface(probe, name, each) for each in requests] for _, name in socket.if_nameindex()]
    return [IPv4Interface(f"{address}/{mask}") for address, mask in told if address and mask]


def _address_of_interface(probe: socket.socket, name: str, request: int) -> IPv4Address | None:
    import fcntl  # not on Windows

    try:
        answer = fcntl.ioctl(probe.fileno(), request, struct.pack(f"{_IFREQ_BYTES}s", name.encode()[:15]))
    except OSError:
        return None      # an interface without an IPv4 address
    return IPv4Address(answer[_IFREQ_ADDRESS])
