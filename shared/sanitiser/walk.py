"""The tokens of a text as the rules for names walk over them: what all of those rules ask, and a mention."""

from dataclasses import dataclass
from typing import Final

from shared.sanitiser.lexicon import (
    BUILDING,
    CALLED,
    COMMON,
    ENGLISH,
    GIVEN,
    GREETING,
    HARMLESS,
    INTRO,
    KIN,
    MONTH,
    NICKNAME,
    ORG,
    PARTICLE,
    POLICE,
    RANK,
    RARE_GIVEN,
    ROLE,
    SCHOOL,
    STREET,
    STRONG,
    SURNAME,
    THANKS,
    TITLE,
    VERB,
    places,
    words,
)
from shared.sanitiser.reading import Reading

ANY_GIVEN: Final = GIVEN | RARE_GIVEN
ANY_NAME: Final = ANY_GIVEN | SURNAME | NICKNAME
POLICE_WORD: Final = RANK | POLICE
AFTER_A_PLACE: Final = STREET | BUILDING | SCHOOL | ORG
CUE: Final = KIN | ROLE | CALLED | TITLE | GREETING | INTRO | THANKS | RANK | POLICE
_MOST_NAMES: Final = 5
_APART: Final = frozenset((" ", "-"))
WITHIN: Final = frozenset((" ", ", ", " (", "/", " & ", "-", ",", "; ", " - ", " '", ' "', "'"))
PREPOSITIONS: Final = words("""at in near to outside from through around inside behind opposite between towards via past into by off across
    round toward within on beyond leaving of yn ym yng o ger w we na z do din la en em de w""")
PLACE_BEFORE: Final = words(
    "at in near to outside from around inside opposite between towards via into across toward within above below round ym yng ger i'r o'r"
)
STOP: Final = words("""i i'm i've i'd i'll a an the and or but if so he she it they we you my his her their our your this that there
    then when what who why how where which not no yes yeah ok okay all any some is are was were be been am do did does have
    has had will would can could should may might must of to in on at by for from with as about into out up down off over
    after before again just now here also even still well right like oh er erm um um uh aye nah hi hello please thanks sorry
    because since until while me him them us one two another other same such too very only own more most much many few
    don't didn't won't can't isn't wasn't couldn't wouldn't doesn't hasn't haven't hadn't he's she's they're we're you're
    that's it's there's what's who's let's im ive id ill hes shes thats whats wouldnt couldnt dont didnt cant wasnt wont
    someone somebody everyone everybody nobody anyone anybody nothing something everything called named said""")
_DIRECTIONS: Final = words(
    "north south east west northern southern eastern western upper lower great little new old"
)
_CALLED_THINGS: Final = words(
    "it it's its group chat account app operation op system page file folder database table site place pub road street show film song game"
)
# What follows is the name of a building or an operation.
_HEADS: Final = words("ysbyty neuadd theatr castell canolfan gorsaf hmp op operation hôtel")
_ORG_SURNAMES: Final = words(
    "bank inn park moor wood woods heath forest mills mill garage castle dale post mall down rail church base"
)


@dataclass(slots=True)
class Mention:
    """A name as it stands in a text: tokens `first` to `last`, and `title`, the first token of a title before it
    that goes with it, or `first`."""

    first: int
    last: int
    title: int
    names: tuple[str, ...]
    initials: tuple[str, ...] = ()
    rank: bool = False
    is_self: bool = False
    is_kin: bool = False
    titled: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it has a given name and a surname, as far as can be seen."""
        return len(self.names) > 1 or bool(self.initials)


class TokenWalk:
    """A text, token by token; `taken_to` is the last token that is part of a mention or of none."""

    def __init__(self, reading: Reading, known: frozenset[str]) -> None:
        self.reading = reading
        self.known = known
        self.caseless = reading.is_caseless
        self.shouted = self.caseless and _mostly_upper(reading.text)
        self.words, self.lows, self.flags, self.seps = (
            reading.words,
            reading.lows,
            reading.flags,
            reading.seps,
        )
        self.count = len(self.words)
        ascii_words = sum(map(str.isascii, self.words))
        self.latin = ascii_words < self.count < 1.2 * ascii_words
        self.found: list[Mention] = []
        self.doubtful: list[int] = []
        self.taken_to = -1

    def _is_capital(self, i: int) -> bool:
        if self.shouted:
            return False
        word = self.words[i]
        return word[0].isupper()

    def _extend(self, i: int) -> int:
        """The last token of the name that begins with the capital at token `i`."""
        end = i
        while end + 1 < self.count and end - i < _MOST_NAMES:
            after, sep = end + 1, self.seps[end + 1]
            word, low, f = self.words[after], self.lows[after], self.flags[after]
            is_initial = len(self.words[end]) == 1
            if sep not in _APART and not (sep in {". ", "."} and is_initial):
                break
            if not word[0].isupper():
                further = after + 1
                if not f & PARTICLE or (low in {"o", "y", "e", "st", "ap"} and not f & PARTICLE):
                    break
                while (
                    further < self.count
                    and self.flags[further] & PARTICLE
                    and self.words[further][0].islower()
                ):
                    further += 1
                if (
                    further >= self.count
                    or not self.words[further][0].isupper()
                    or self.seps[further] != " "
                    or low in STOP
                ):
                    break
                if self.flags[further] & HARMLESS:
                    break
                end = further
                continue
            if (low in STOP and len(word) > 1) or (f & POLICE_WORD and not f & ANY_NAME):
                break
            if word == "I" or low in {"i'm", "i'd", "i've", "i'll"}:
                break
            if f & HARMLESS and not f & ANY_GIVEN and not (f & SURNAME and not f & MONTH):
                break
            if sep == ". " and f & ENGLISH and not f & SURNAME:
                break  # `Officer M. According to`
            if f & RANK and len(word) <= 4 and word.isupper():
                break
            if len(word) > 1 and word.isupper() and not self.words[i].isupper() and not f & ANY_NAME:
                break
            end = after
        return end

    def _extend_lower(self, i: int) -> int:
        end = i
        while end + 1 < self.count and end - i < 3:
            after = end + 1
            low, f = self.lows[after], self.flags[after]
            if self.seps[after] != " " or not self.words[after][0].isalpha():
                break
            if (
                f & PARTICLE
                and not f & COMMON
                and low not in STOP
                and after + 1 < self.count
                and (self.flags[after + 1] & SURNAME and not self.flags[after + 1] & COMMON)
            ):
                end = after + 1
                continue
            if f & (SURNAME | ANY_GIVEN) and not f & (ENGLISH | HARMLESS | CUE | VERB) and low not in STOP:
                end = after
                continue
            if (
                f & SURNAME
                and f & ENGLISH
                and not f & (COMMON | HARMLESS | CUE | VERB)
                and low not in STOP
                and end == i
            ) and (
                after + 1 >= self.count
                or self.seps[after + 1] != " "
                or self.flags[after + 1] & (VERB | ROLE | KIN)
                or self.lows[after + 1] in STOP
            ):
                end = after
                continue
            break
        return end

    def _ends_as_place(self, start: int, end: int) -> bool:
        """Whether the run, or the word after it, makes it a street, a school, a pub or the like."""
        after = end + 1
        if (
            after < self.count
            and self.seps[after] == " "
            and self.words[after][0].isupper()
            and self.flags[after] & AFTER_A_PLACE
            and not self.flags[after] & STRONG
        ):
            return True
        if end > start and self.flags[end] & AFTER_A_PLACE and not self.flags[end] & STRONG:
            return not (self.flags[end] & SURNAME and self._is_person_run(start, end))
        return False

    def _is_ended_by_place(self, start: int, end: int) -> bool:
        return end > start and bool(self.flags[end] & AFTER_A_PLACE and not self.flags[end] & STRONG)

    def _is_person_run(self, start: int, end: int) -> bool:
        """`Matt Hill`, `Jane Street`: a given name before a surname that is also a word for a place, without a
        preposition before it."""
        if not self.flags[start] & GIVEN or end - start != 1:
            return False
        if self.flags[end] & STREET and (self.flags[start] & ENGLISH or not self.flags[start] & STRONG):
            return False
        if (
            self.flags[end] & STREET
            and start
            and self.seps[start] == ", "
            and self.words[start - 1][0].isupper()
        ):
            return False
        if self.flags[end] & (SCHOOL | ORG) and self.lows[end] not in _ORG_SURNAMES:
            return False
        before = self.lows[start - 1] if start and self.seps[start] == " " else ""
        return (
            before not in PREPOSITIONS
            and before != "the"
            and not (start and self.words[start - 1][0].isdecimal())
        )

    def _owns(self, i: int) -> bool:
        return i + 1 < self.count and self.seps[i + 1] == "'" and self.lows[i + 1] == "s"

    def _calls_a_thing(self, i: int) -> bool:
        """`it's called`, `a group called`: what follows names no person."""
        if i < 1 or self.lows[i] not in {"called", "named"}:
            return False
        owner = self.lows[i - 1]
        return (self.lows[i - 2] if owner == "s" and i > 1 else owner) in _CALLED_THINGS

    def _is_collar(self, i: int) -> bool:
        word = self.words[i]
        return any(c.isdecimal() for c in word) and len(word) <= 8

    def _skip_proper(self, i: int) -> Mention | None:
        """A harmless capital, with the capitals that go with it: `Royal Courts`, `Premier Inn`, `Ysbyty Gwynedd`."""
        end = i
        if self.lows[i] in _HEADS:
            while (
                end + 1 < self.count
                and end - i < 2
                and self.seps[end + 1] == " "
                and self._is_capital(end + 1)
            ):
                end += 1
            self.taken_to = end
            return None
        while end + 1 < self.count and self.seps[end + 1] == " " and self._is_capital(end + 1):
            f = self.flags[end + 1]
            if not (
                (f & (AFTER_A_PLACE | HARMLESS) and not f & (GIVEN | RANK))
                or (self.lows[end] in _DIRECTIONS and not f & (STRONG | RANK))
                or " ".join(self.lows[end : end + 2]) in places()
            ):
                break
            end += 1
        self.taken_to = end
        return None

    def _skip(self, end: int) -> Mention | None:
        """No mention, and none up to token `end`."""
        self.taken_to = end
        return None

    def _doubt(self, end: int) -> Mention | None:
        """A run that is taken for a place, though no gazetteer has it."""
        self.doubtful.append(end)
        self.taken_to = end
        return None

    def _mention(
        self,
        first: int,
        last: int,
        *,
        rank: bool = False,
        is_self: bool = False,
        kin: bool = False,
    ) -> Mention:
        names, initials = [], []
        for at in range(first, last + 1):
            low = self.lows[at]
            if len(low) == 1:
                initials.append(low)
            elif not (
                self.flags[at] & PARTICLE and self.words[at][0].islower() and not self.flags[at] & ANY_GIVEN
            ):
                names.append(low)
        return Mention(first, last, first, tuple(names), tuple(initials), rank, is_self, kin)


def _mostly_upper(text: str) -> bool:
    upper = sum(map(str.isupper, text))
    return upper > 20 and upper > 2 * sum(map(str.islower, text))
