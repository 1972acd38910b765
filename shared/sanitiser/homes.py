"""Homes by their names: farms, houses and blocks, and places told as where somebody lives, without any number.

A house name goes where its last word says that people live there (`Low Moor Farm`, `The Old Rectory`, `Elm Court
Care Home`), where a word for living or a home introduces it (`the flats are called ...`, `flat above ...`, `my road,
...`), in a line that is labelled as an address, and right after the name of a private person.
"""

import re
from collections.abc import Iterator
from typing import Final

from shared.sanitiser.lexicon import POLICE, RANK, lexicon, words
from shared.sanitiser.reading import Reading, Span, folded
from shared.sanitiser.walk import STOP

_STREET: Final = (
    "Avenue|Ave|Street|St|Road|Rd|Lane|Ln|Close|Crescent|Cres|Terrace|Gardens|Gdns|Grove|Square|Mews|Drive|Walk|Way|Place|Row|Rise|Court|Parade"
    "|Hill|Green|View|Wharf|Yard|Park|Croft|Fold|Estate|Buildings|Mansions|Villas|House|Tower|Towers|Lodge|Cottages?|Farm|Barn|Manor|Manse|Hall"
)
_CAPITAL: Final = r"[A-Z][\w'\-]{0,24}"
# People live there, wherever the name stands.
_HOUSE: Final = re.compile(
    rf"(?<![\w'])(?:(?:[Tt]he )?(?:{_CAPITAL} ){{1,3}}(?:Farm|Farmhouse|Cottages?|Bungalow|Manse|Rectory|Vicarage|Parsonage|Barns?|Care Home|Nursing Home"
    r"|Residential Home|Rest Home|Children'?s Home|Sheltered Housing|Almshouses|Caravan Park|Caravan Site|Foyer|Hostel|Refuge|Student Village|Halls? of Residence)"
    r"|[Tt]he (?:Coach House|Old (?:School|Mill|Forge|Dairy|Chapel|Bakery|Rectory|Vicarage|Post Office|School House)|Lodge|Manse|Rectory|Vicarage|Bungalow|Farmhouse|Gatehouse|Annexe)"
    r"|(?:[A-Z]{2,20} ){1,3}(?:CHILDREN'?S HOME|CARE HOME|NURSING HOME|FARM|COTTAGE|HOSTEL))\b(?:, [A-Z][a-z]{2,20}\b)?(?!'s? [a-z])"
)
_HOUSE_WORDS: Final = words(
    """farm farmhouse cottage cottages bungalow manse rectory vicarage parsonage barn barns home housing almshouses caravan foyer hostel
    refuge village residence house old lodge gatehouse annexe"""
)
_PLACES_OF_ALL: Final = words("city animal funny crown wind solar health prison open")
_RUN: Final = rf"(?:[Tt]he )?{_CAPITAL}(?:,? (?:(?:and|of|the|on) )?{_CAPITAL}){{0,4}}(?:(?<='s) [a-z]{{3,12}}(?=[,.]))?(?:, [0-9]{{1,3}}[a-z]?\b)?"
_HOMES_CALLED: Final = re.compile(
    r"(?:flats?|block|building|house|bungalow|cottage|caravan site|place|home|estate|farm|boat)(?: (?:is|are|r|was))? (?:called|named) "
    r"|(?:flat|bedsit|room|flats|lives?|living|live|lodges?|staying|upstairs|lodgings|maisonette)(?: (?:is|=))?(?: =)? ?(?:above|over|below|behind|beside|next to|next door to|opposite|over the road from) (?:the )?"
    r"|(?:my|our|her|his|their|me) (?:own |old |new )?(?:road|street|lane|close|estate|village|block|building|tower|spare room|back room|corridor|halls|farm|cul-de-sac|doorstep|front door)(?:,|:| is| at| in| =| \(){1,2} ?(?:at |in |on )?"
    r"|(?:my|me|our|her|his) (?:mum|mam|mom|dad|nan|nana|gran|sister|brother|mother|father|auntie|aunt|uncle|cousin|mate|friend|daughter|son|parents|ex)'?s?(?:'s)?(?: house| flat| place| home| address)?[.,]? ?\(?(?:on |at |in )?"
    r"|(?:i'm|i am|im|we're|we are|she's|he's|clr|caller|clr's|lives|live|lodges|lodging|stays|staying|living)(?: with (?:us|me|him|her|them)| on our corridor| there| alone| now| here| currently){0,3} at "
    r"|(?:stau la|locuim la|mieszkamy|deggenahay|deggan|ciwaanka:|ciwaankaygu waa|j'habite|habite|logée?e? au|loge au|wohne in|kalıyorum|yn byw yn|dwi'n byw yn|ghar) "
)
_HOME_CUES: Final = words(
    """flat flats block building house bungalow cottage caravan place home estate farm boat bedsit room lives live living lodge lodges lodging
    lodgings stays staying upstairs maisonette my our her his their me i'm im clr caller stau locuim mieszkamy deggenahay deggan
    ciwaanka ciwaankaygu j'habite habite loge logee wohne yn dwi'n ghar"""
)
_HOME_RUN: Final = re.compile(_RUN)
_LOWER_HOME: Final = re.compile(
    r"(?:[a-z'\-]{3,20} ){1,2}(?:street|road|lane|avenue|close|crescent|terrace|gardens|grove|way|drive|court|house|farm|cottage|tower|towers|estate)\b"
)
_IS_HOME: Final = re.compile(rf"\b(?:{_STREET})\b|\A[Tt]he [A-Z]")
_LABELLED: Final = re.compile(
    r"(?:\A|\n)[^\S\n]?(?:home |postal |current |full )?(?:address(?: line [0-9])?|addr|loc|home)\s?: ?([^\n]{4,70})"
)
_LABELS: Final = words("address addr loc home")
# After the marker of a name that has been taken out: the second reading sees it.
_AFTER_NAME: Final = re.compile(
    rf"\[name-[0-9]{{1,6}}\][,.\n:]? ?(?:\(|, )?((?:[Tt]he [A-Z][\w'\-]{{2,20}}(?: [A-Z][\w'\-]{{2,20}})?|(?:{_CAPITAL} ){{1,3}}(?:{_STREET}))(?:, [A-Z][a-z]{{2,20}})?)(?=[,.;)\n]|\Z| HMO)"
)
_NUMBER_THE: Final = re.compile(
    r"[0-9]{1,4}[a-z]?,? The [A-Z][a-z'\-]{2,20}(?: [A-Z][a-z'\-]{2,20}){0,2}(?=[,.;)\n]|\Z)"
)
_TENS: Final = "(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
_UNIT: Final = "(?:one|two|three|four|five|six|seven|eight|nine)"
_SAID_NUMBER: Final = rf"(?:(?:a|one|two|three) hundred (?:and )?)?(?:{_TENS}(?:[ -]{_UNIT})?|{_UNIT}|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen)"
_SAID_ADDRESS: Final = re.compile(
    rf"(?:(?:number|flat) )?{_SAID_NUMBER}(?:,? (?:stroke|slash|dash|flat) {_SAID_NUMBER})?[a-d]?,? "
    r"((?:[a-z'\-]{3,20} ){1,2}(?:street|road|lane|avenue|close|crescent|terrace|gardens|grove|way|drive|court|place|walk|house)\b)"
)
_SAID: Final = words(
    """number flat twenty thirty forty fifty sixty seventy eighty ninety one two three four five six seven eight nine ten eleven twelve
    thirteen fourteen fifteen sixteen seventeen eighteen nineteen a"""
)
_NO_STREET_NAME: Final = words(
    "of the in on at to and or from down up by men police officers houses streets doors times years hours minutes people my his her their our other different main whole this that same away"
)


def homes(reading: Reading) -> Iterator[Span]:
    """Houses, farms and homes by their names. A public building stays."""
    text, low = reading.text, reading.low
    if reading.has_any(_HOUSE_WORDS):
        for found in _HOUSE.finditer(text):
            span = _without_first_word(reading, found.start(), found.end())
            if (
                span
                and not _is_of_police(found.group())
                and _PLACES_OF_ALL.isdisjoint(found.group().lower().split())
            ):
                yield span
    for cue in reading.matches(_HOMES_CALLED, _HOME_CUES):
        run = _HOME_RUN.match(text, cue.end())
        is_above = (
            cue.group()
            .rstrip()
            .endswith(("above", "over", "below", "above the", "over the", "called", "next door to", "behind"))
        )
        if (
            run
            and not reading.is_caseless
            and (_IS_HOME.search(run.group()) or (is_above and run.group()[0].isupper()))
        ):
            if not _is_of_police(run.group()):
                yield Span(run.start(), run.start() + len(run.group().rstrip(" ,")), "address")
        elif (
            reading.is_caseless
            and (lower := _LOWER_HOME.match(low, cue.end()))
            and _NO_STREET_NAME.isdisjoint(lower.group().split())
        ):
            yield Span(lower.start(), lower.end(), "address")
    if ":" in low and reading.has_any(_LABELS):
        for found in _LABELLED.finditer(low):
            yield Span(found.start(1), found.start(1) + len(found.group(1).rstrip(" ,.")), "address")
    if "[name-" in low:
        for found in _AFTER_NAME.finditer(text):
            if not _is_of_police(found.group(1)):
                yield Span(found.start(1), found.end(1), "address")
    if " The " in text:
        for found in reading.around_digits(_NUMBER_THE, 0, 0):
            yield Span(found.start(), found.end(), "address")
    if reading.has_any(_SAID_STREETS):
        for found in reading.matches(_SAID_ADDRESS, _SAID):
            is_number = reading.is_caseless or text[found.start()].islower()  # `Seven Sisters Road`
            if is_number and _NO_STREET_NAME.isdisjoint(found.group(1).split()):
                yield Span(found.start(), found.end(), "address")


_SAID_STREETS: Final = words(
    "street road lane avenue close crescent terrace gardens grove way drive court place walk house"
)
_BEGINNINGS: Final = words(
    "at in from to when then and but so my his her our their i he she they we near outside on after"
)


def _without_first_word(reading: Reading, start: int, end: int) -> Span | None:
    """Without a word that only begins the sentence, such as `At Elm Farm`; nothing if no name is left."""
    words_of = reading.text[start:end].split(" ")
    last = 0  # in capitals any plain word ends what came before it
    if reading.is_caseless:
        last = max((at for at, word in enumerate(words_of) if word.lower() in STOP - {"the"}), default=-1) + 1
    while len(words_of) - last > 1 and words_of[last].lower() in _BEGINNINGS:
        last += 1
    start += sum(len(word) + 1 for word in words_of[:last])
    words_of = words_of[last:]
    return Span(start, end, "address") if len(words_of) > 1 else None


def _is_of_police(run: str) -> bool:
    flags = lexicon()
    return any(flags.get(folded(word.lower().strip(",.'")), 0) & (POLICE | RANK) for word in run.split())
