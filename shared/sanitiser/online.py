"""Where somebody is found online: e-mail, links, accounts, network addresses."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from shared.sanitiser.reading import Reading, Span
from shared.sanitiser.words import words

# Each begins where no word goes on to its left, so that no stretch of text is tried twice.
_EMAIL: Final = re.compile(r"(?<![\w.+%'\-])[\w.+%'\-]+(?:\s?@\s?[\w\-]+(?:\.[\w\-]+)+|@[^\W\d][\w\-]*)")
_TOP: Final = "com|net|org|uk|co|info|me|io|ie|eu|fr|de|us|gov|ac"
_DOT: Final = r"(?:\.|\s\.\s?|\s+dot\s+|\s*[\[({]\s?dot\s?[\])}]\s*)"
_SPELLED_HOST: Final = re.compile(
    rf"(?:\sat\s|\s?[\[({{]\s?at\s?[\])}}]\s?|\s?@\s?)\s*[\w\-]+(?:{_DOT}[\w\-]+){{0,3}}?"
    rf"{_DOT}(?:{_TOP})(?:{_DOT}(?:{_TOP}))?(?![\w\-])"
)
_SPELLED_LOCAL: Final = re.compile(rf"(?:[\w+\-]+{_DOT}){{0,3}}[\w+\-]+\Z")
_AT: Final = words("at")
_TOPS: Final = frozenset(_TOP.split("|"))
_HOST_HINTS: Final = (" dot ", "dot)", "dot]", "dot}", ".com", ".co", ".net", ".org", ".uk", ". co")
_LONGEST_LOCAL: Final = 80


def emails(reading: Reading) -> Iterator[Span]:
    """E-mail addresses, also spelled: `jane dot smith at example dot com`, `jane[at]example.com`."""
    if "@" in reading.low:
        for found in _EMAIL.finditer(reading.text):
            yield Span(found.start(), found.end(), "email")
    if not ("@" in reading.low or reading.has_any(_AT)) or not reading.has_any(_TOPS):
        return
    if not any(hint in reading.low for hint in _HOST_HINTS):
        return
    for host in _SPELLED_HOST.finditer(reading.low):
        local = _SPELLED_LOCAL.search(reading.before(host.start(), _LONGEST_LOCAL))
        if local:
            yield Span(host.start() - len(local.group()), host.end(), "email")


_SITES: Final = (
    "facebook|fb|instagram|twitter|tiktok|linkedin|snapchat|threads|youtube|reddit|onlyfans|pinterest"
    "|tumblr|telegram|discord"
)
_LINK: Final = re.compile(
    rf"(?:https?://|www\.)\S+|(?<![\w@.])(?:[a-z]+\.)?(?:{_SITES})\.(?:com|net|me|gg|org)(?:/\S*)?"
    r"|(?<![\w@.])(?:x\.com|t\.me|wa\.me|linktr\.ee|fb\.me|youtu\.be)/\S+"
)
_NAMED_SITES: Final = frozenset(_SITES.split("|"))
_LINK_HINTS: Final = ("http", ".com/", ".me/", ".ee/", ".be/")
_TRAILING: Final = ".,;:!?'\")]}>"
_PUBLIC: Final = re.compile(r"(?:https?://)?[a-z0-9.\-]+\.(?:police\.uk|gov\.uk)(?:/[^?#]*)?\Z")


def links(reading: Reading) -> Iterator[Span]:
    """Every link and every profile at a known site, but plain pages of public bodies."""
    low = reading.low
    has_path = "/" in low and any(hint in low for hint in _LINK_HINTS)
    if not (has_path or reading.has_any(_NAMED_SITES) or "www." in low):
        return
    for found in _LINK.finditer(low):
        link = found.group().rstrip(_TRAILING)
        if not _PUBLIC.match(link):
            yield Span(found.start(), found.start() + len(link), "link")


_HANDLE: Final = re.compile(r"(?<![\w.@])@[^\W\d][\w.]*\w")
_ACCOUNT: Final = re.compile(
    rf"\bmy (?:{_SITES}|insta|snap|whatsapp|skype|messenger)"
    r"(?: (?:name|account|profile|handle|username|user name|page|id|tag))*\s?(?:is|:|=|-)\s?(\S{3,})"
)
# `my Instagram is private` names nobody.
_STATES: Final = words(
    """private public locked hacked blocked closed gone not now still down full being under deleted fake the
    suspended disabled off offline open known always never all just only empty monitored watched"""
)


def handles(reading: Reading) -> Iterator[Span]:
    """`@name`, and `my Instagram is name`."""
    if "@" in reading.low:
        for found in _HANDLE.finditer(reading.text):
            yield Span(found.start(), found.end(), "handle")
    for found in reading.mine(_ACCOUNT):
        name = found.group(1).rstrip(_TRAILING)
        if name and name not in _STATES:
            yield Span(found.start(1), found.start(1) + len(name), "handle")


_DIGITS_OF_IPV4: Final = 4
_COLONS_OF_IPV6: Final = 7
_IPV4: Final = re.compile(r"(?<![\d.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?!\.?\d)")
_IPV6: Final = re.compile(r"(?<![\w:.])[0-9a-f:]{6,45}(?![\w:])")


def network_addresses(reading: Reading) -> Iterator[Span]:
    """IP addresses of both versions. `11:30:15` is a time."""
    if reading.digits >= _DIGITS_OF_IPV4:
        for found in reading.around_digits(_IPV4, 0, 0):
            if _is_address(found.group()):
                yield Span(found.start(), found.end(), "ip-address")
    colons = reading.low.count(":")
    if colons >= _COLONS_OF_IPV6 or (colons and "::" in reading.low):
        for found in _IPV6.finditer(reading.low):
            if ":" in found.group() and _is_address(found.group()):
                yield Span(found.start(), found.end(), "ip-address")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
