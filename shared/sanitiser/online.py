"""Where somebody is found online: e-mail, links, accounts, network addresses."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from shared.sanitiser.lexicon import ENGLISH, lexicon, words
from shared.sanitiser.reading import Reading, Span

# Each begins where no word goes on to its left, so that no stretch of text is tried twice.
_EMAIL: Final = re.compile(r"(?<![\w.+%'\-])[\w.+%'\-]+(?:\s?@\s?[\w\-]+(?:\.[\w\-]+)+|@[^\W\d][\w\-]*)")
_TOP: Final = (
    "com|net|org|uk|co|info|me|io|ie|eu|fr|de|us|gov|ac|example|test|wales|cymru|scot|london|app|dev|shop|biz|online|email|mail|tv"
    "|pl|ro|es|pt|it|nl|in|pk|tr|ng|gh|bd"
)
_DOT: Final = r"(?:\.|\s\.\s?|\s+dot\s+|\s*[\[({]\s?dot\s?[\])}]\s*)"
_SPELLED_HOST: Final = re.compile(
    rf"(?:\sat\s|\s?[\[({{]\s?at\s?[\])}}]\s?|\s?@\s?)\s*[\w\-]+(?:\s(?:minus|dash|hyphen|underscore|under score)\s[\w\-]+){{0,3}}"
    rf"(?:{_DOT}[\w\-]+){{0,3}}?"
    rf"{_DOT}(?:{_TOP})(?:{_DOT}(?:{_TOP}))?(?![\w\-])"
)
_JOINT: Final = rf"(?:{_DOT}|\s(?:underscore|under score|dash|hyphen|minus|plus)\s)"
_SPELLED_LOCAL: Final = re.compile(rf"(?:[\w+.\-]+{_JOINT}){{0,4}}[\w+.\-]+\Z")
_MAILERS: Final = "gmail|googlemail|hotmail|outlook|yahoo|icloud|protonmail|proton|live|aol|btinternet|sky|talktalk|virginmedia|me"
_KNOWN_HOST: Final = re.compile(rf"(?:\sat\s|\s?@\s?)(?:{_MAILERS})\b(?:{_DOT}(?:{_TOP}))*")
_MAILER_WORDS: Final = frozenset(_MAILERS.split("|")) - {"me", "live", "sky"}
_NOT_LOCAL: Final = words(
    "he she they it me us him her them work home was is were i looked signed works got logged"
)
_AT: Final = frozenset(("at",))
_TOPS: Final = frozenset(_TOP.split("|"))
_HOST_HINTS: Final = (
    " dot ",
    "dot)",
    "dot]",
    "dot}",
    ".com",
    ".co",
    ".net",
    ".org",
    ".uk",
    ". co",
    ".example",
    ".test",
)
_LONGEST_LOCAL: Final = 80


def emails(reading: Reading) -> Iterator[Span]:
    """E-mail addresses, also spelled: `jane dot smith at example dot com`, `jane[at]example.com`."""
    if "@" in reading.low:
        for found in _EMAIL.finditer(reading.text):
            yield Span(found.start(), found.end(), "email")
    if not ("@" in reading.low or reading.has_any(_AT)):
        return
    if reading.has_any(_MAILER_WORDS):
        for host in _KNOWN_HOST.finditer(reading.low):
            local = _SPELLED_LOCAL.search(reading.before(host.start(), _LONGEST_LOCAL))
            if local and local.group() not in _NOT_LOCAL:
                yield Span(host.start() - len(local.group()), host.end(), "email")
    if not reading.has_any(_TOPS):
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
    rf"(?:https?://|www\.)\S+|(?<![\w@./\-])[a-z0-9][a-z0-9\-]{{1,40}}(?:\.[a-z0-9\-]{{1,40}}){{0,4}}\.[a-z]{{2,12}}/[\w\-~%?=&#/.]{{3,}}|(?<![\w@.])(?:[a-z]+\.)?(?:{_SITES})\.(?:com|net|me|gg|org)(?:/\S*)?"
    r"|(?<![\w@.])(?:x\.com|t\.me|wa\.me|linktr\.ee|fb\.me|youtu\.be)/\S+"
)
_NAMED_SITES: Final = frozenset(_SITES.split("|"))
_LINK_HINT: Final = re.compile(r"https?:|\.[a-z]{2,12}/")
# `fenwicktyres.co.uk`; an address of everybody's names nobody
_HOST: Final = re.compile(
    r"(?<![\w@./\-])[a-z0-9][a-z0-9\-]{2,40}(?:\.[a-z0-9\-]{1,40}){0,3}\.(?:com|co\.uk|org\.uk|org|net|wales|cymru|scot|io|info|biz|shop|me\.uk|ac\.uk|sch\.uk)(?![\w@\-/]|\.\w)"
)
_HOST_HINTS_PLAIN: Final = (
    ".com",
    ".co.uk",
    ".org",
    ".net",
    ".wales",
    ".cymru",
    ".scot",
    ".io",
    ".info",
    ".biz",
    ".shop",
    ".uk",
)
_EVERYBODYS: Final = words(
    """bbc google gmail amazon ebay facebook twitter instagram youtube whatsapp tiktok hotmail outlook yahoo icloud apple microsoft
    gumtree rightmove zoopla booking airbnb netflix paypal parliament nhs gov police change justgiving wikipedia"""
)
_TRAILING: Final = ".,;:!?'\")]}>"
_PUBLIC: Final = re.compile(r"(?:https?://)?[a-z0-9.\-]+\.(?:police\.uk|gov\.uk)(?:/[^?#]*)?\Z")


def links(reading: Reading) -> Iterator[Span]:
    """Every link and every profile at a known site, but plain pages of public bodies."""
    low = reading.low
    if "." not in low:
        return
    if any(hint in low for hint in _HOST_HINTS_PLAIN):
        for found in _HOST.finditer(low):
            if _EVERYBODYS.isdisjoint(found.group().split(".")):
                yield Span(found.start(), found.end(), "link")
    has_path = "/" in low and _LINK_HINT.search(low)
    if not (has_path or reading.has_any(_NAMED_SITES) or "www." in low):
        return
    for found in _LINK.finditer(low):
        link = found.group().rstrip(_TRAILING)
        if not _PUBLIC.match(link):
            yield Span(found.start(), found.start() + len(link), "link")


_HANDLE: Final = re.compile(r"(?<![\w.@])@[^\W\d][\w.]*\w")
_APP: Final = (
    rf"{_SITES}|insta|ig|snap|snap chat|whatsapp|skype|messenger|tik tok|twitch|xbox|psn|playstation|steam|roblox|fortnite|kik|signal|tinder"
    "|hinge|bumble|grindr|vinted|paypal"
)
_ACCOUNT: Final = re.compile(
    rf"(?:{_APP})(?: (?:name|account|profile|handle|username|user name|user|page|id|tag|gamertag|as)){{0,4}}"
    r"(?: is|'s| was|:| =| -| under| called| as){1,4}\s?(@?[\w.\-]{3,40})"
)
_UNDERSCORED: Final = re.compile(
    r"(?<![\w\[/.@-])(?=\w{0,40}[a-z0-9]_)[a-z0-9][\w.]{0,40}?_[\w.]{0,40}\w(?![\w@])"
)
_APPS: Final = frozenset(name.split()[0] for name in _APP.split("|"))
_USERS: Final = words("handle username user gamertag screen known online account")
# `jazzy.m0on`, `skyraff#2207`: no word, number or link looks so.
_NUMBERED: Final = re.compile(
    r"(?<![\w./@#-])(?:[a-z]{3,20}\.[a-z]{1,20}[0-9]{1,6}[a-z]{0,20}|[a-z]\w{2,20}#[0-9]{4})(?![\w@.]\w)"
)
_WHAT3WORDS: Final = re.compile(
    r"(?<!:)/{2,3}\s?[a-z]{2,20}\.[a-z]{2,20}\.[a-z]{2,20}\b|\b(?:what ?(?:3|three) ?words|w3w)[^.\n]{0,24}?\b([a-z]{3,}[. ][a-z]{3,}[. ][a-z]{3,})\b"
)
# `my Instagram is private` names nobody.
_STATES: Final = words("""private public locked hacked blocked closed gone not now still down full being under deleted fake the
    suspended disabled off offline open known always never all just only empty monitored watched how where a an his her
    on in at from to and that what one my our their this it i he she they we you so because used called me him group""")
_USER: Final = re.compile(
    r"\b(?:handle|username|user name|gamertag|screen name|known online as|online as|account name)(?: is|:| was| =){0,4}\s?(@?[\w.\-]{3,40})"
)


def handles(reading: Reading) -> Iterator[Span]:
    """`@name`, `my Instagram is name`, `snapchat: name`, `jane_s99`, and three-word addresses."""
    low = reading.low
    if "@" in low:
        for found in _HANDLE.finditer(reading.text):
            yield Span(found.start(), found.end(), "handle")
    for pattern, first in ((_ACCOUNT, _APPS), (_USER, _USERS)):
        for found in reading.matches(pattern, first):
            name = found.group(1).rstrip(_TRAILING)
            if len(name) > 2 and name not in _STATES and _looks_like_handle(name):
                yield Span(found.start(1), found.start(1) + len(name), "handle")
    if "_" in low:
        for found in _UNDERSCORED.finditer(low):
            if not found.group().startswith("speaker_") and _looks_like_account(found.group()):
                yield Span(found.start(), found.end(), "handle")
    for digit, _ in reading.digit_runs:
        if digit and (low[digit - 1].isalpha() or low[digit - 1] == "#"):
            start = (
                max(low.rfind(" ", max(0, digit - 40), digit), low.rfind("\n", max(0, digit - 40), digit)) + 1
            )
            if handle := _NUMBERED.match(low, start):
                yield Span(start, handle.end(), "handle")
    if "//" in low or "words" in low or "w3w" in low:
        for found in _WHAT3WORDS.finditer(low):
            start = found.start(1) if found.group(1) else found.start()
            yield Span(start, found.end(), "address")


def _looks_like_account(name: str) -> bool:
    """`jane_s99`, `ellie_mae`; not `complaint_id`, whose parts are all words of the language."""
    flags = lexicon()
    return any(not part.isalpha() or not flags.get(part, 0) & ENGLISH for part in name.strip("_").split("_"))


def _looks_like_handle(name: str) -> bool:
    """A word of the language is none, but for a capital or a digit in it."""
    return any(not c.isalpha() for c in name) or not lexicon().get(name, 0) & ENGLISH


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
