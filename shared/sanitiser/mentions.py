"""Mentions of persons: every name that stands in a text, whoever bears it.

`find_mentions` reads the tokens of a `Reading` once. A name is found by capitals and the gazetteers of names, by
the words around it (titles, ranks, kin, roles, introductions, greetings, signatures, speakers' labels), and in
texts without capitals by the gazetteers and those words alone. Names of streets, places, organisations and the
like are told apart by their last word, by the gazetteer of places and by the preposition before them. Who is
police is not decided here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from shared.sanitiser.lexicon import (
    BUILDING,
    CALLED,
    CALLER,
    COMMON,
    ENGLISH,
    GIVEN,
    GREETING,
    HARMLESS,
    INTRO,
    KIN,
    MONTH,
    NICKNAME,
    NUMBER,
    ORG,
    PARTICLE,
    PLACE,
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
    lexicon,
    places,
    public_names,
    words,
)
from shared.sanitiser.reading import Reading

ANY_GIVEN: Final = GIVEN | RARE_GIVEN
ANY_NAME: Final = ANY_GIVEN | SURNAME | NICKNAME
POLICE_WORD: Final = RANK | POLICE
_NO_NAME: Final = HARMLESS | RANK | POLICE | MONTH | NUMBER
_AFTER_A_PLACE: Final = STREET | BUILDING | SCHOOL | ORG
_CUE: Final = KIN | ROLE | CALLED | TITLE | GREETING | INTRO | THANKS | RANK | POLICE
_FIRM: Final = (
    ENGLISH | HARMLESS | RANK | POLICE | TITLE | KIN | ROLE | VERB | MONTH | NUMBER | STREET | ORG | PARTICLE
)
_LAST_PLAIN: Final = "z" * 9
_MOST_NAMES: Final = 5
_MOST_RANKS: Final = 6
_APART: Final = frozenset((" ", "-"))
_WITHIN: Final = frozenset((" ", ", ", " (", "/", " & ", "-", ",", "; ", " - ", " '", ' "', "'"))
_PREPOSITIONS: Final = words("""at in near to outside from through around inside behind opposite between towards via past into by off across
    round toward within on beyond leaving of yn ym yng o ger w we na z do din la en em de w""")
_PLACE_BEFORE: Final = words(
    "at in near to outside from around inside opposite between towards via into across toward within"
)
_DETERMINERS: Final = words("the a an this that his her their my our your its every each another some any no")
_LINKS: Final = frozenset(("is", "was", "s", "are", "were", "yw", "ydy", "yw'r", "e", "je", "to", "est"))
_STOP: Final = words("""i i'm i've i'd i'll a an the and or but if so he she it they we you my his her their our your this that there
    then when what who why how where which not no yes yeah ok okay all any some is are was were be been am do did does have
    has had will would can could should may might must of to in on at by for from with as about into out up down off over
    after before again just now here also even still well right like oh er erm um um uh aye nah hi hello please thanks sorry
    because since until while me him them us one two another other same such too very only own more most much many few
    don't didn't won't can't isn't wasn't couldn't wouldn't doesn't hasn't haven't hadn't he's she's they're we're you're
    that's it's there's what's who's let's im ive id ill hes shes thats whats wouldnt couldnt dont didnt cant wasnt wont
    someone somebody everyone everybody nobody anyone anybody nothing something everything called named said""")
_SELF: Final = frozenset(("i'm", "im"))
_CALL_ME: Final = frozenset(("me", "us", "him", "her", "them"))


@dataclass(slots=True)
class Mention:
    """A name as it stands in a text: tokens `first` to `last`, and `title`, the first token of a title before it
    that goes with it, or `first`. `is_sure`: it can hardly be anything but a person's name."""

    first: int
    last: int
    title: int
    names: tuple[str, ...]
    initials: tuple[str, ...] = ()
    rank: bool = False
    is_self: bool = False
    is_kin: bool = False
    is_sure: bool = True
    titled: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it has a given name and a surname, as far as can be seen."""
        return len(self.names) > 1 or bool(self.initials)


def find_mentions(reading: Reading, known: frozenset[str] = frozenset()) -> tuple[list[Mention], list[int]]:
    """The mentions of persons in their order, none overlapping another, and the tokens that were left though they
    may be names, for no list has them. `known` are names of the form's subjects."""
    finder = _Finder(reading, known)
    return finder.find(), finder.left()


class _Finder:
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

    def find(self) -> list[Mention]:
        interesting = ANY_GIVEN | _CUE
        words = self.words
        for i, f in enumerate(self.flags):
            word = words[i]
            if not (f & interesting or word < "a" or word > _LAST_PLAIN) or i <= self.taken_to or word == "I":
                continue
            if mention := self._at(i):
                self.found.append(mention)
                self.taken_to = mention.last
        return self._with_repetitions()

    def left(self) -> list[int]:
        """Tokens that look like a name, that no list has, and that were taken for a place or for no name."""
        taken = {at for mention in self.found for at in range(mention.first, mention.last + 1)}
        return [
            at
            for at in self.doubtful
            if at not in taken
            and not self.flags[at] & ~(SURNAME | RARE_GIVEN)
            and not (self._starts_sentence(at) and not self.flags[at])
            and len(self.lows[at]) > 2
            and self.words[at].isalpha()
            and not (self.words[at].isupper() and not self.shouted)
        ]

    def _at(self, i: int) -> Mention | None:
        word, f = self.words[i], self.flags[i]
        if word[0] == "[" or word[0].isdecimal() or "_" in word:
            return None
        if f & _CUE and (mention := self._after_cue(i)):
            return mention
        if (
            len(word) == 1
            and i + 2 < self.count
            and self.seps[i + 1] in {".", ". "}
            and self.lows[i] + self.lows[i + 1] in _DOTTED_RANKS
        ):
            return self._after_rank(i + 1)
        if self._is_capital(i):
            return self._capitals(i)
        if not word.isascii() and word[0] > "\u0590" and (f & ANY_GIVEN or self.latin):
            return self._other_script(i)
        if self.shouted and len(word) == 1 and word.isalpha() and self._is_shouted_initial(i):
            return self._mention(i, i + 1)
        if (
            self.caseless
            and f & STRONG
            and f & ENGLISH
            and not f & (_NO_NAME | KIN | TITLE | COMMON | VERB | PLACE)
        ):
            return self._common_word(i)
        if f & GIVEN and not f & _FIRM and (self.shouted or not word[0].isupper()):
            return self._in_lower_case(i) if self.caseless or f & STRONG else None
        if (
            not word.isascii()
            and not word[0].islower()
            and (f & ANY_GIVEN or (word[0] > "\u0590" and self.latin))
        ):
            return self._other_script(i)
        return None

    def _is_shouted_initial(self, i: int) -> bool:
        """`R. TUNNICLIFFE` in a text in capitals."""
        after = i + 1
        if after >= self.count or self.seps[after] not in {". ", "."} or self.words[i] in {"I", "A"}:
            return False
        f = self.flags[after]
        return len(self.words[after]) > 2 and (bool(f & SURNAME) or not f) and not f & COMMON

    def _common_word(self, i: int) -> Mention | None:
        """`pat`, `sheila`, `rose` in a text without capitals: a name where a person's verb or a list follows."""
        before = self.lows[i - 1] if i and self.seps[i] == " " else ""
        if before in _DETERMINERS or before in _PLACE_BEFORE:
            return None
        after = i + 1
        followed = (
            after < self.count
            and self.seps[after] == " "
            and (
                (self.flags[after] & SURNAME and not self.flags[after] & ENGLISH)
                or self.lows[after]
                in {
                    "says",
                    "said",
                    "was",
                    "is",
                    "has",
                    "saw",
                    "told",
                    "came",
                    "heard",
                    "went",
                    "rang",
                    "got",
                    "knows",
                }
            )
        )
        if self._is_followed_by_verb(i) and self.seps[after] == "'":
            followed = True
        if (
            (before in {"for", "called"} and self._ends_here(i))
            or followed
            or (before == "for" and self.lows[i - 2] == "ask")
        ):
            return self._mention(i, self._extend_lower(i))
        return None

    # Cues

    def _after_cue(self, i: int) -> Mention | None:
        """The name that a cue at token `i` introduces."""
        f = self.flags[i]
        if f & RANK and not (
            f & PARTICLE and i and self.words[i].islower() and self.words[i - 1][0].isupper()
        ):
            return self._after_rank(i)
        if f & TITLE and self.words[i] != "DR" and (mention := self._after_title(i)):
            return mention
        start, strong, is_self, kin = i + 1, False, False, bool(f & KIN)
        if (
            (f & INTRO and self.lows[i] in _SELF)
            or (f & INTRO and self.lows[i] == "am" and i and self.lows[i - 1] == "i")
            or (f & INTRO and (start := self._foreign_introduction(i)))
            or (f & INTRO and self.lows[i] in {"it's", "its", "this", "s"} and (start := self._speaking(i)))
        ):
            strong = is_self = True
        elif f & CALLED:
            start, strong, is_self = self._after_called(i)
        elif f & GREETING:
            strong = False
        elif f & (KIN | ROLE):
            start = self._past_links(i)
        else:
            return None
        if not 0 < start < self.count or (
            self.seps[start] not in _WITHIN
            and not (f & (CALLER | CALLED | ROLE) and self.seps[start] in {": ", " = ", "="})
        ):
            return None
        if self._is_capital(start) and not (is_self and self._tells_kind(start)):
            if is_self or (f & CALLED and strong):
                return self._named(start, is_self=is_self, kin=kin, strong=strong)
            return None  # capitals are looked at by themselves
        if self.words[start][0].isupper() and not self.shouted:
            return None
        return self._named_lower(start, strong=strong, is_self=is_self, kin=kin, cue=i)

    def _after_called(self, i: int) -> tuple[int, bool, bool]:
        """(token, strong, of oneself) after `called`, `named`, `my name is`, `names`."""
        low = self.lows[i]
        start = i + 1
        if low[0] > "\u0590":
            return i + 1, True, low == "اسمي"
        if low in {"calls", "call", "christened"}:
            if start < self.count and self.lows[start] in _CALL_ME:
                return start + 1, True, self.lows[start] == "me"
            return 0, False, False
        if low in {"called", "named", "nicknamed"}:
            if start < self.count and self.lows[start] in _CALL_ME:
                return start + 1, False, False
            return start, low != "called" or not (i and self.lows[i - 1] in _PRONOUNS), False
        if low == "known":
            return (
                (start + 1, True, False)
                if start < self.count and self.lows[start] == "as"
                else (0, False, False)
            )
        # name, names, name's
        owner = self.lows[i - 1] if i else ""
        for back in (2, 3):
            if owner in _KINDS_OF_NAME and i >= back:
                owner = self.lows[i - back]
        is_mine = owner in {"my", "me", "caller", "clr", "complainant", "clr's"} or (
            owner == "s" and i > 1 and bool(self.flags[i - 2] & CALLER)
        )
        while start < self.count and self.lows[start] in _AFTER_NAME and self.seps[start] in _AFTER_NAME_SEPS:
            start += 1
        linked = (
            start > i + 1
            or low in {"names", "name's"}
            or (start < self.count and self.seps[start] in {": ", ":", " = "})
        )
        if start >= self.count or not (linked or is_mine):
            return 0, False, False
        if self.seps[start] in {": ", ":", " - ", ", ", ' "', " '"}:
            pass
        return start, True, is_mine

    def _speaking(self, i: int) -> int:
        """`it's mary again`, `this is jane here`, `its kenny from leith`: the token of the name, or 0."""
        start = i + 1
        if self.lows[i] == "this":
            start += 1
            if start >= self.count or self.lows[i + 1] != "is":
                return 0
        elif self.lows[i] == "s" and not (i and self.lows[i - 1] == "it"):
            return 0
        if (
            start >= self.count
            or self.seps[start] != " "
            or self.flags[start] & (COMMON | POLICE_WORD | KIN | ROLE)
        ):
            return 0
        for after in (start + 1, start + 2):
            if after < self.count and self.lows[after] in _SPEAKING and self.flags[start] & ANY_NAME:
                return start
        return 0

    def _past_links(self, i: int) -> int:
        """Past `(is) called`, `, who is`, `'s name is` after a word of kin or role."""
        start = i + 1
        steps = 0
        while (
            start < self.count
            and steps < 4
            and (self.lows[start] in _KIN_LINKS)
            and self.seps[start] in _KIN_SEPS
        ):
            start += 1
            steps += 1
        return start

    def _foreign_introduction(self, i: int) -> int:
        for phrase in _FOREIGN.get(self.lows[i], ()):
            end = i + 1 + len(phrase)
            if tuple(self.lows[i + 1 : end]) == phrase:
                return end
        return 0

    def _after_rank(self, i: int) -> Mention | None:
        start = i
        if self.lows[i] == "ch" and not (i + 1 < self.count and self.flags[i + 1] & RANK):
            return None
        while (
            start + 1 < self.count
            and start - i < _MOST_RANKS
            and self.seps[start + 1] in _AFTER_RANK
            and (
                (
                    self.flags[start + 1] & POLICE_WORD
                    and not (self._is_capital(start + 1) and self.flags[start + 1] & SURNAME and start > i)
                )
                or self._is_collar(start + 1)
                or self.lows[start + 1] in {"temp", "acting", "chief", "super", "supt", "no", "number"}
            )
        ):
            start += 1
        start += 1
        if start >= self.count or self.seps[start] not in _AFTER_RANK_NAME:
            return None
        if (
            self.lows[start] in {"called", "named"}
            and start + 1 < self.count
            and self.seps[start + 1] in _WITHIN
        ):
            start += 1
        if self._is_capital(start) and (self.lows[start] not in _STOP or self.flags[start] & GIVEN):
            if self.seps[start] == ": " and self.flags[start] & ENGLISH:
                return None
            end = self._extend(start)
            return self._mention(start, end, rank=True, is_self=self._is_said_of_oneself(i, end))
        if self.caseless or self.words[start][0].islower():
            f = self.flags[start]
            if (
                f & (COMMON | VERB | ROLE | KIN | PARTICLE)
                or self.lows[start] in _STOP
                or not self.words[start].isalpha()
            ):
                return None
            if not f & ANY_NAME and f & ENGLISH:
                return None
            end = self._extend_lower(start)
            return self._mention(start, end, rank=True, is_self=self._is_said_of_oneself(i, end))
        return None

    def _is_said_of_oneself(self, i: int, end: int) -> bool:
        """`I'm DC Beattie`, `my name is PC 2218 Kayleigh Osborne`; not what an officer is quoted with."""
        back = i - 1
        if back < 0 or self.seps[i] not in {" ", ", ", ": "} or self._owns(end):
            return False
        if self.lows[back] in {"a", "the", "serving", "former", "retired"}:
            back -= 1
        low, before = self.lows[back], self.lows[max(0, back - 2) : back]
        if not (
            low in _SELF
            or (low == "am" and before[-1:] == ["i"])
            or (low in {"is", "s"} and before == ["my", "name"])
            or (low in {"me", "myself"} and self.seps[i] == ", ")
            or (low == "name's" and before[-1:] == ["my"])
        ):
            return False
        for k in range(back - 1, max(-1, back - 9), -1):
            if any(c in ".!?\n;" for c in self.seps[k + 1]):
                break
            if self.lows[k] in _REPORTS:
                return False
        return True

    def _after_title(self, i: int) -> Mention | None:
        start = i + 1
        if start >= self.count or self.seps[start] not in {" ", ". ", "."}:
            return None
        if (
            self.flags[i] & ENGLISH
            and self.words[i][0].islower()
            and not (self.caseless and self._is_plain_name(start))
        ):
            return None
        low = self.lows[start]
        if " ".join(self.lows[i : start + 1]) in places():
            return None
        if low in _STOP and not (len(low) == 1 and self.words[start].isupper()):
            return None
        f = self.flags[start]
        if self._is_capital(start) or (len(self.words[start]) == 1 and self.words[start].isupper()):
            if f & (POLICE_WORD | TITLE) and not f & ANY_NAME:
                return None
            if self.flags[i] & KIN == 0 and self.flags[i] & ENGLISH and f & ENGLISH and not f & ANY_NAME:
                return None
            end = self._extend(start)
            return self._titled(i, start, end)
        if (
            self.caseless
            and not f & COMMON
            and (f & ANY_NAME or not f & ENGLISH)
            and self.words[start].isalpha()
        ):
            return self._titled(i, start, self._extend_lower(start))
        if self.caseless and len(low) == 1 and low not in "ai" and low.isalpha():
            return self._titled(i, start, start)
        return None

    def _is_plain_name(self, i: int) -> bool:
        f = self.flags[i]
        return not f or bool(f & ANY_NAME and not f & (ENGLISH | HARMLESS))

    def _titled(self, i: int, start: int, end: int) -> Mention:
        goes_with = self.lows[i] in {"mr", "mrs", "ms", "miss", "mx"}
        mention = self._mention(start, end)
        mention.title = i if goes_with else start
        mention.titled = self.lows[i]
        return mention

    def _named(self, start: int, *, is_self: bool, kin: bool, strong: bool) -> Mention | None:
        f = self.flags[start]
        low = self.lows[start]
        if low in _STOP or (f & (POLICE_WORD | MONTH) and not f & ANY_GIVEN):
            return None
        if is_self and f & HARMLESS:
            return None
        if f & TITLE and start + 1 < self.count and self._is_capital(start + 1):
            mention = self._after_title(start)
            if mention:
                mention.is_self = is_self
            return mention
        if f & ENGLISH and not f & ANY_GIVEN and not (f & SURNAME and strong and not f & COMMON):
            return None
        end = self._extend(start)
        if self._ends_as_place(start, end):
            return None
        if is_self and self._owns(end):
            # "I am David C's wife": the one who is named is somebody else.
            is_self = False
        return self._mention(start, end, is_self=is_self, kin=kin)

    def _named_lower(self, start: int, *, strong: bool, is_self: bool, kin: bool, cue: int) -> Mention | None:
        """A name in lower case after a cue."""
        low, f = self.lows[start], self.flags[start]
        if (
            low in _STOP
            or not self.words[start][0].isalpha()
            or f & (POLICE_WORD | NUMBER | VERB | KIN | ROLE | TITLE)
        ):
            return None
        if (
            (f & (GIVEN | NICKNAME) and not (f & COMMON and not strong))
            or (
                strong
                and f & (RARE_GIVEN | SURNAME)
                and not f & COMMON
                and not f & HARMLESS
                and (not f & ENGLISH or not is_self)
            )
            or (strong and self.lows[cue] in {"calls", "call"} and not f & COMMON and self._ends_here(start))
            or (not f and ((strong and len(low) > 2) or (len(low) > 3 and self._is_kin_cue(cue, start))))
        ):
            pass
        else:
            return None
        if f & HARMLESS and not (start + 1 < self.count and self.flags[start + 1] & SURNAME and f & GIVEN):
            return None
        if is_self and f & ENGLISH and self.lows[cue] in {"im", "i'm", "am"} and not self._ends_here(start):
            return None
        end = self._extend_lower(start)
        return self._mention(start, end, is_self=is_self, kin=kin)

    def _is_kin_cue(self, cue: int, start: int) -> bool:
        """`my mum sabeena`: a word that nobody knows right after a word for kin with its possessor."""
        return start == cue + 1 and (
            bool(self.flags[cue] & CALLER)
            or (cue > 0 and self.lows[cue - 1] in {"my", "our", "her", "his", "me", "wee", "big", "little"})
        )

    def _ends_here(self, i: int) -> bool:
        return (
            i + 1 >= self.count
            or self.seps[i + 1] != " "
            or self.lows[i + 1] in {"and", "from", "by"}
            or bool(self.flags[i + 1] & SURNAME and not self.flags[i + 1] & ENGLISH)
        )

    def _tells_kind(self, i: int) -> bool:
        """`I'm Black`, `I'm HIV positive`."""
        f = self.flags[i]
        return bool(f & HARMLESS) or (
            len(self.words[i]) > 1 and self.words[i].isupper() and not f & ANY_GIVEN
        )

    # Capitals

    def _is_capital(self, i: int) -> bool:
        if self.shouted:
            return False
        word = self.words[i]
        return word[0].isupper()

    def _starts_sentence(self, i: int) -> bool:
        sep = self.seps[i]
        if i == 0:
            return True
        if sep in _WITHIN or sep in {" '", ' "'}:
            return False
        if sep == ". " and (len(self.words[i - 1]) == 1 or self.flags[i - 1] & (TITLE | RANK)):
            return False
        return sep != "."

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
                    or low in _STOP
                ):
                    break
                if self.flags[further] & HARMLESS:
                    break
                end = further
                continue
            if (low in _STOP and len(word) > 1) or (f & POLICE_WORD and not f & ANY_NAME):
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
                and low not in _STOP
                and after + 1 < self.count
                and (self.flags[after + 1] & SURNAME and not self.flags[after + 1] & COMMON)
            ):
                end = after + 1
                continue
            if f & (SURNAME | ANY_GIVEN) and not f & (ENGLISH | HARMLESS | _CUE | VERB) and low not in _STOP:
                end = after
                continue
            if (
                f & SURNAME
                and f & ENGLISH
                and not f & (COMMON | HARMLESS | _CUE | VERB)
                and low not in _STOP
                and end == i
            ) and (
                after + 1 >= self.count
                or self.seps[after + 1] != " "
                or self.flags[after + 1] & (VERB | ROLE | KIN)
                or self.lows[after + 1] in _STOP
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
            and self.flags[after] & _AFTER_A_PLACE
            and not self.flags[after] & STRONG
        ):
            return True
        if end > start and self.flags[end] & _AFTER_A_PLACE and not self.flags[end] & STRONG:
            return not (self.flags[end] & SURNAME and self._is_person_run(start, end))
        return False

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
            before not in _PREPOSITIONS
            and before != "the"
            and not (start and self.words[start - 1][0].isdecimal())
        )

    def _capitals(self, i: int) -> Mention | None:
        """The name that a run of capitals from token `i` on may be."""
        word, low, f = self.words[i], self.lows[i], self.flags[i]
        starts_sentence = self._starts_sentence(i)
        if low in _STOP or (len(word) == 1 and not self._is_initials(i)):
            return None
        if f & (KIN | ROLE) and not f & ANY_GIVEN:
            return None
        if low == "st":
            return self._saint(i)
        if (f & HARMLESS and not f & GIVEN) or (f & (POLICE | TITLE) and not f & ANY_GIVEN):
            return self._skip_proper(i)
        if f & HARMLESS and not self._is_name_after_all(i):
            return self._skip_proper(i)
        end = self._extend(i)
        if word.isupper() and len(word) > 1 and not self.caseless and not self._is_shouted_name(i, end):
            return self._skip(end) if end > i and self._ends_as_place(i, end) else None
        if end > i and self._is_place(i, end):
            return self._skip(end)
        if self._ends_as_place(i, end):
            if (
                end - i > 1
                and f & STRONG
                and not f & ENGLISH
                and self.flags[i + 1] & SURNAME
                and not (self.flags[i + 2] & (STREET | SCHOOL))
            ):
                return self._mention(i, i + 1)
            return self._skip(min(end + 1, self.count - 1))
        if end > i and " ".join(self.lows[i : end + 1]) in public_names():
            return self._skip(end)
        length = end - i + 1
        before = self.lows[i - 1] if i and self.seps[i] in {" ", " '", ' "'} else ""
        if before == "the" and end + 1 < self.count and self.lows[end + 1] in _FAMILIES and f & SURNAME:
            return self._mention(i, end)
        if before == "the" and not f & GIVEN:
            return self._skip(end)
        if before == "the" and (length == 1 or not self.flags[end] & SURNAME):
            return self._skip(end)
        if length > 1:
            return self._run(i, end, before, starts_sentence=starts_sentence)
        return self._single(i, before, starts_sentence=starts_sentence)

    def _saint(self, i: int) -> Mention | None:
        """`St Michael's`, `St Stephen's Day`: no person."""
        end = i
        while (
            end + 1 < self.count
            and self.seps[end + 1] in {" ", ". ", "'"}
            and (self._is_capital(end + 1) or self.lows[end + 1] == "s")
        ):
            end += 1
        self.taken_to = end
        return None

    def _is_name_after_all(self, i: int) -> bool:
        """A given name that is a harmless word too: `April`, `Jordan`, `Christian`."""
        after = i + 1
        if self._is_followed_by_verb(i) or self._has_private_cue(i):
            return not self.flags[i] & MONTH or not self._starts_sentence(i)
        return (
            after < self.count
            and self.seps[after] == " "
            and self._is_capital(after)
            and bool(self.flags[after] & SURNAME)
            and not self.flags[after] & (ENGLISH | HARMLESS | PLACE)
        )

    def _run(self, i: int, end: int, before: str, *, starts_sentence: bool) -> Mention | None:
        f, last = self.flags[i], self.flags[end]
        if len(self.words[i]) == 1:
            if last & PLACE and not last & SURNAME:
                return self._skip(end)
            return self._mention(i, end)
        if (f & ENGLISH and not f & ANY_NAME) or (starts_sentence and f & COMMON and not f & GIVEN):
            # The first word is none of the name: it begins the sentence, or is a word such as `Crown`.
            if starts_sentence:
                return self._capitals(i + 1) if self._is_capital(i + 1) else None
            if not any(flags & GIVEN and not flags & ENGLISH for flags in self.flags[i : end + 1]):
                return self._skip(end)
        if f & ENGLISH and last & ENGLISH and not f & STRONG and not (f & GIVEN and last & SURNAME):
            return self._skip(end)
        if f & PLACE and not f & STRONG and last & PLACE | ENGLISH and before in _PLACE_BEFORE:
            return self._skip(end)
        if starts_sentence and f & COMMON and f & GIVEN and not (last & SURNAME and not last & ENGLISH):
            return None
        if before in _PLACE_BEFORE and f & PLACE and not f & GIVEN:
            return self._skip(end)
        if not any(flags & ANY_NAME for flags in self.flags[i : end + 1]) and before in _PREPOSITIONS:
            return self._doubt(end)
        sure = any(flags & ANY_GIVEN for flags in self.flags[i : end + 1])
        return self._mention(i, end, sure=sure)

    def _single(self, i: int, before: str, *, starts_sentence: bool) -> Mention | None:
        word, f = self.words[i], self.flags[i]
        after_verb = self._is_followed_by_verb(i)
        if (
            before == "of"
            and i > 1
            and self.words[i - 2][0].isupper()
            and self.flags[i - 2] & (ORG | STREET | BUILDING | SCHOOL)
        ):
            return self._skip(i)
        if self._is_of_crossing(i) or (f & PLACE and self._is_station(i, before)):
            return self._skip(i)
        if f & PLACE and f & GIVEN and not f & STRONG and not self._is_surname_place(i, before):
            return self._skip(i)
        if f & GIVEN and not f & ENGLISH:
            if f & PLACE and before in _PLACE_BEFORE and not self._is_person_place(i, before):
                return self._skip(i)
            if not f & STRONG and before in _PLACE_BEFORE - {"to", "from"} and not self._owns(i):
                return self._doubt(i)
            return self._mention(i, i)
        if f & GIVEN:
            if starts_sentence:
                if f & COMMON or not after_verb:
                    if self._is_list_of_names(i):
                        return self._mention(i, i)
                    self.doubtful.append(i)
                    return None
                return self._mention(i, i)
            if f & MONTH and before in {
                "in",
                "of",
                "on",
                "since",
                "last",
                "until",
                "by",
                "from",
                "during",
                "early",
                "late",
                "mid",
            }:
                return self._skip(i)
            if f & MONTH and i and (self.words[i - 1][0].isdecimal() or self._is_number(i + 1)):
                return self._skip(i)
            if f & MONTH and not after_verb:
                return self._skip(i)
            if f & (KIN | TITLE) and not after_verb:
                return None
            return self._mention(i, i)
        if f & PLACE:
            if not self._is_surname_place(i, before):
                return self._skip(i)
            return self._mention(i, i, sure=False)
        if f & ENGLISH:
            if (
                f & (SURNAME | RARE_GIVEN)
                and not starts_sentence
                and not f & COMMON
                and self._has_private_cue(i)
            ):
                return self._mention(i, i, sure=False)
            if self._has_name_cue(i):
                return self._mention(i, i, sure=False)
            self.doubtful.append(i)
            return None
        if f & _AFTER_A_PLACE or f & (RANK | POLICE):
            return None
        if self._has_name_cue(i):
            return self._mention(i, i)
        if before in _PLACE_BEFORE and not f & RARE_GIVEN:
            return self._doubt(i)
        if f & RARE_GIVEN:
            return self._mention(i, i, sure=not starts_sentence or after_verb)
        if starts_sentence:
            if after_verb or self._has_name_cue(i) or self._is_label(i) or self._is_list_of_names(i):
                return self._mention(i, i, sure=False)
            self.doubtful.append(i)
            return None
        if any(c.isdecimal() for c in word):
            return None
        if i and self.seps[i] == ", " and self._closes_place(i):
            return self._doubt(i)
        if (
            word[1:] != word[1:].lower()
            and "-" not in word
            and not word.startswith(("Mc", "Mac", "O'", "D'", "N'", "De", "Le", "La"))
        ):
            return self._skip(i)  # AirTag, YouTube
        return self._mention(i, i, sure=False)

    def _is_station(self, i: int, before: str) -> bool:
        """`PC Leo Standish, Leigh, did it`, `PC Toby Jugg of Melton`: a place after an officer."""
        if before == "of" and i > 1 and self.words[i - 2][0].isupper():
            return True
        if self.seps[i] not in {", ", " ("} or not self.words[i - 1][0].isupper():
            return False
        closes = i + 1 >= self.count or self.seps[i + 1][0] in ",.;)\n"
        return closes and any(self.flags[k] & RANK for k in range(max(0, i - 5), i))

    def _is_of_crossing(self, i: int) -> bool:
        """`Rhawn and Leon Streets`."""
        return (
            i + 3 < self.count
            and self.lows[i + 1] in {"and", "&"}
            and self.lows[i + 3] in {"streets", "avenues", "roads", "sts", "lanes"}
        )

    def _closes_place(self, i: int) -> bool:
        """`PC Ewan Gill, Govan.`: the last of a list of capitals, none of them a given name."""
        before_is_capital = self.words[i - 1][0].isupper() or self.words[i - 1][0].isdecimal()
        return before_is_capital and (
            i + 1 >= self.count or self.seps[i + 1][:1] in {".", ",", ";", ")", "\n"}
        )

    # What a capital stands for

    def _is_initials(self, i: int) -> bool:
        """`B. T. Cole`, `J Smith`: an initial before a surname."""
        if self.words[i] in {"I", "A"} and not (i + 1 < self.count and self.seps[i + 1] in {". ", "."}):
            return False
        if self.seps[i] and self.seps[i][-1] in "'-":
            return False
        end = self._extend(i)
        return (
            end > i
            and len(self.words[end]) > 2
            and not (self.flags[end] & ENGLISH and not self.flags[end] & SURNAME)
        )

    def _is_shouted_name(self, i: int, end: int) -> bool:
        f = self.flags[i]
        if end == i:
            return bool(f & GIVEN and not f & (ENGLISH | HARMLESS) and len(self.words[i]) > 3)
        return bool(f & GIVEN and not f & HARMLESS and self.flags[end] & ANY_NAME)

    def _is_place(self, i: int, end: int) -> bool:
        """Whether the run is a place of several words."""
        if not self.flags[i] & PLACE and " ".join(self.lows[i : end + 1]) not in places():
            return " ".join(self.lows[i : i + 2]) in places()
        known = places()
        return any(" ".join(self.lows[i : i + n]) in known for n in range(2, min(4, end - i + 1) + 1)) or (
            all(f & (PLACE | HARMLESS) and not f & GIVEN for f in self.flags[i : end + 1])
        )

    def _is_person_place(self, i: int, before: str) -> bool:
        """A given name that is a place too, after a preposition: `to Florence`."""
        return before in {"to", "from"} and not self.flags[i] & SURNAME

    def _is_surname_place(self, i: int, before: str) -> bool:
        """A place that is a surname too (`Stroud`), where the words around it make it a person."""
        return (
            before not in _PREPOSITIONS
            and bool(self.flags[i] & SURNAME)
            and (
                self._has_private_cue(i)
                or (self._is_followed_by_person_verb(i) and not self._starts_sentence(i))
            )
        )

    def _has_private_cue(self, i: int) -> bool:
        if i == 0 or self.seps[i] not in _WITHIN:
            return False
        if self.flags[i] & PLACE and self.seps[i] != " ":
            return False
        return bool(self.flags[i - 1] & (KIN | ROLE | TITLE | CALLED)) and self.flags[i - 1] & ORG == 0

    def _has_name_cue(self, i: int) -> bool:
        """A word for kin, role or calling right before."""
        if i == 0:
            return False
        f = self.flags[i - 1]
        if self.seps[i] in {": ", " = "} and f & (CALLER | KIN | ROLE) and not self.flags[i] & ENGLISH:
            return True
        if self.seps[i] not in {" ", ", ", " - "}:
            return False
        return (bool(f & (KIN | ROLE)) and self.seps[i] == " " and not self.flags[i] & COMMON) or self.lows[
            i - 1
        ] in {
            "called",
            "named",
        }

    def _is_label(self, i: int) -> bool:
        """A speaker's label at the beginning of a line."""
        return (
            (i == 0 or "\n" in self.seps[i])
            and self.seps[i + 1].startswith(":")
            and not self.flags[i] & (ENGLISH | CALLER | ROLE)
        )

    def _owns(self, i: int) -> bool:
        return i + 1 < self.count and self.seps[i + 1] == "'" and self.lows[i + 1] == "s"

    def _is_followed_by_verb(self, i: int) -> bool:
        after = i + 1
        if after >= self.count:
            return False
        if self.seps[after] == "'" and self.lows[after] == "s":
            return True
        return self.seps[after] == " " and bool(self.flags[after] & VERB)

    def _is_followed_by_person_verb(self, i: int) -> bool:
        after = i + 1
        return (
            after < self.count
            and self.seps[after] == " "
            and bool(self.flags[after] & VERB)
            and self.lows[after]
            not in {"is", "was", "has", "had", "will", "would", "can", "could", "did", "does", "called"}
        )

    def _is_list_of_names(self, i: int) -> bool:
        """`Rose and Jack`, `Grace, Tunde and I`."""
        after = i + 1
        if after < self.count and self.seps[after] == ", " and self._is_capital(after):
            return bool(self.flags[after] & GIVEN and not self.flags[after] & ENGLISH)
        return (
            after + 1 < self.count
            and self.lows[after] in {"and", "&"}
            and self.seps[after] == self.seps[after + 1] == " "
            and self._is_capital(after + 1)
            and bool(self.flags[after + 1] & GIVEN)
        )

    def _is_number(self, i: int) -> bool:
        return i < self.count and self.words[i][0].isdecimal()

    def _is_collar(self, i: int) -> bool:
        word = self.words[i]
        return any(c.isdecimal() for c in word) and len(word) <= 8

    # Texts without capitals, and scripts without

    def _in_lower_case(self, i: int) -> Mention | None:
        low, f = self.lows[i], self.flags[i]
        if len(low) < 3 or low in _STOP:
            return None
        sep = self.seps[i]
        before = self.lows[i - 1] if i and sep == " " else ""
        after = i + 1
        if (
            after < self.count
            and self.seps[after] == " "
            and self.flags[after] & _AFTER_A_PLACE
            and not (self.flags[after] & (COMMON | ANY_GIVEN) and not self.flags[after] & (STREET | SCHOOL))
        ):
            return None
        if f & PLACE and (before in _PREPOSITIONS or before == "the"):
            return None
        if i and self.words[i - 1][0].isdecimal() and after < self.count and self.flags[after] & STREET:
            return None
        end = self._extend_lower(i)
        if end > i and " ".join(self.lows[i : end + 1]) in places():
            return self._skip(end)
        if end + 1 < self.count and self.seps[end + 1] == " " and self.flags[end + 1] & (STREET | SCHOOL):
            return None
        return self._mention(i, end)

    def _other_script(self, i: int) -> Mention | None:
        end = i
        while (
            end + 1 < self.count
            and end - i < 3
            and self.seps[end + 1] == " "
            and self.flags[end + 1] & ANY_NAME
        ):
            end += 1
        return self._mention(i, end)

    # Results

    def _skip_proper(self, i: int) -> Mention | None:
        """A harmless capital, with the capitals that go with it: `Royal Courts`, `Premier Inn`."""
        end = i
        while end + 1 < self.count and self.seps[end + 1] == " " and self._is_capital(end + 1):
            f = self.flags[end + 1]
            if not (
                (f & (_AFTER_A_PLACE | HARMLESS) and not f & (GIVEN | RANK))
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
        sure: bool = True,
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
        return Mention(first, last, first, tuple(names), tuple(initials), rank, is_self, kin, sure)

    def _with_repetitions(self) -> list[Mention]:
        """Also the tokens that are names elsewhere in the text, where a capital at the beginning of a sentence or a
        common word left it open; and the signature at the end."""
        names = {name for mention in self.found for name in mention.names if len(name) > 2} | self.known
        taken = {at for mention in self.found for at in range(mention.first, mention.last + 1)}
        added = []
        for at in self.doubtful:
            low = self.lows[at]
            if low in names and at not in taken and not self.flags[at] & COMMON:
                added.append(self._mention(at, at))
        added += self._signatures(taken)
        if added:
            self.found = sorted(self.found + added, key=lambda mention: mention.first)
        return self.found

    def _signatures(self, taken: set[int]) -> Iterator[Mention]:
        """The line after `Regards,` and the like, whatever the case of its name."""
        for i in self.reading.tokens(_VALEDICTIONS):
            if i + 1 >= self.count:
                continue
            start = i + 1
            while start < self.count and self.flags[start] & THANKS and self.seps[start] in {" ", ", "}:
                start += 1
            if start >= self.count or start in taken:
                continue
            sep = self.seps[start]
            if not ("\n" in sep or sep in {", ", " - "}) or self.lows[start] in _STOP:
                continue
            f = self.flags[start]
            if f & (POLICE_WORD | TITLE | ROLE | KIN):
                continue
            end = start
            while (
                end + 1 < self.count
                and end - start < 3
                and self.seps[end + 1] in {" ", ". ", "."}
                and end + 1 not in taken
            ):
                end += 1
            closes = end + 1 >= self.count or "\n" in self.seps[end + 1]
            if closes and (not f & ENGLISH or f & ANY_NAME) and self.words[start][0].isalpha():
                yield self._mention(start, end, is_self=True)


_VALEDICTIONS: Final = frozenset(word for word, f in lexicon().items() if f & THANKS)
_DIRECTIONS: Final = words(
    "north south east west northern southern eastern western upper lower great little new old"
)
_DOTTED_RANKS: Final = words("pc dc ds ps ci di dci wpc")
_FAMILIES: Final = words("brothers family sisters twins boys lads household kids children")
_SPEAKING: Final = words("again here speaking calling ringing phoning writing")
_REPORTS: Final = words(
    "said says say saying goes went like replied answered shouted introduced wrote texted told"
)
_PRONOUNS: Final = words("he she they i we you it who")
_KINDS_OF_NAME: Final = words(
    "full first last real own birth middle maiden family christian legal given actual married other working sur fore"
)
_AFTER_NAME: Final = words("is s was are as being it's its be erm er um it i")
_AFTER_NAME_SEPS: Final = frozenset((" ", "'", ", ", " (", " '", ' "'))
_KIN_LINKS: Final = words("is called named who was s name he's she's hes shes he she are names")
_KIN_SEPS: Final = frozenset((" ", ", ", "'", " ("))
_AFTER_RANK: Final = frozenset((" ", ". ", ".", "/", " (", ") ", ", "))
_AFTER_RANK_NAME: Final = frozenset((" ", ". ", ".", ": ", ") ", " (", ", "))
_ORG_SURNAMES: Final = words(
    "bank inn park moor wood woods heath forest mills mill garage castle dale post mall down rail church base"
)
_FOREIGN: Final = {
    "numesc": ((),),
    "cheama": ((),),
    "llamo": ((),),
    "chamo": (("me",), ()),
    "nazywam": (("sie",),),
    "imie": ((),),
    "naam": ((),),
    "adim": ((),),
    "ismim": ((),),
    "ismi": ((),),
    "nome": (("e",),),
    "nombre": (("es",),),
    "enw": (("i", "yw"), ("i", "ydy")),
    "magacaygu": (("waa",), ()),
}


def _mostly_upper(text: str) -> bool:
    upper = sum(map(str.isupper, text))
    return upper > 20 and upper > 2 * sum(map(str.islower, text))
