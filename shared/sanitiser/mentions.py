"""Mentions of persons: every name that stands in a text, whoever bears it.

`find_mentions` reads the tokens of a `Reading` once. A name is found by capitals and the gazetteers of names, by
the words around it (titles, ranks, kin, roles, introductions, greetings, signatures, speakers' labels), and in
texts without capitals by the gazetteers and those words alone. Names of streets, places, organisations and the
like are told apart by their last word, by the gazetteer of places and by the preposition before them. Who is
police is not decided here.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from shared.sanitiser.capitals import CapitalRules
from shared.sanitiser.cues import CueRules
from shared.sanitiser.lexicon import (
    COMMON,
    ENGLISH,
    GIVEN,
    HARMLESS,
    KIN,
    MONTH,
    NUMBER,
    ORG,
    PARTICLE,
    PLACE,
    POLICE,
    RANK,
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
from shared.sanitiser.reading import Reading, folded
from shared.sanitiser.walk import (
    AFTER_A_PLACE,
    ANY_GIVEN,
    ANY_NAME,
    CUE,
    PLACE_BEFORE,
    POLICE_WORD,
    PREPOSITIONS,
    STOP,
    Mention,
)

_NO_NAME: Final = HARMLESS | RANK | POLICE | MONTH | NUMBER
_FIRM: Final = (
    ENGLISH | HARMLESS | RANK | POLICE | TITLE | KIN | ROLE | VERB | MONTH | NUMBER | STREET | ORG | PARTICLE
)
_LAST_PLAIN: Final = "z" * 9
_DETERMINERS: Final = words("the a an this that his her their my our your its every each another some any no")
_POSSESSORS: Final = words("his her their my our your its")
_AFTER_OWNER: Final = words(
    "his her my our the a mum mam dad nan sister brother mate house phone car flat place room gran"
)
_DOTTED_RANKS: Final = words("pc dc ds ps ci di dci wpc")


# `O-S-H-E-A`
_SPELLED: Final = re.compile(r"[A-Za-z](?:-[A-Za-z]){3,}\Z")


_ALPHABET: Final = words(
    """alpha bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar papa quebec romeo sierra tango
    uniform victor whiskey xray x-ray yankee zulu"""
)


def _without_marks(text: str) -> frozenset[str]:
    """Words as they stand in a reading: without the signs that combine."""
    apart = unicodedata.normalize("NFKC", text)
    return frozenset(
        folded("".join(c for c in word if not unicodedata.category(c).startswith("M")))
        for word in apart.split()
    )


_NAME_IN_SCRIPT: Final = _without_marks("نام ਨਾਂ ਨਾਮ नाम নাম اسمي")
_INTRODUCES: Final = _NAME_IN_SCRIPT | _without_marks(
    """شوہر بیٹا بیٹی بیٹے بھائی بہن بچے سہیلی دوست پوتے پوتا بیوی والد ਪੁੱਤਰ ਪੋਤੇ ਪੋਤਾ ਭਰਾ ਭੈਣ ਧੀ ਪਤੀ ਪਤਨੀ ਦੋਸਤ बेटा बेटी बेटे भाई बहन पति पत्नी दोस्त
    ছেলে মেয়ে ভাই বোন স্বামী স্ত্রী বন্ধু زوجي زوجتي ابني ابنتي اخي اختي وأختي وأخي أخي أختي اخوي صديقي صديقتي"""
)
_NO_NAME_IN_SCRIPT: Final = _without_marks(
    """ہے ہیں ہوں اور میں کا کی کے نے کو سے پر ہے۔ کیا ਹੈ ਹਾਂ ਦਾ ਦੀ ਦੇ ਨੇ ਤੇ ਨੂੰ ਵਿੱਚ ਕੀ है हैं हूँ और का की के ने को में से আর ও এর কে সব একটি কি নিয়ে হয় هو هي كان كانت في من على
    الى إلى التي الذي وهو وهي يعمل تعمل لا ما كل هذا هذه"""
)
_BETWEEN_LETTERS: Final = frozenset((" ", "-", ", ", ".", ". ", ".-"))
_FEWEST_SPELLED: Final = 3
_LONGEST_SIGNATURE: Final = 4
_MOST_INITIALS: Final = 3
_NO_INITIALS: Final = words(
    "uk us usa eu bc ad am pm pc dc ps ds di ci nb ps ie eg dob gp tv ok id nhs po pto rip qc kc mp hq hr pa ta asap"
)
_NO_INITIALS_AFTER: Final = words("d.o.b of the")


def find_mentions(reading: Reading, known: frozenset[str] = frozenset()) -> list[Mention]:
    """The mentions of persons in their order, none overlapping another. `known` are names of the form's subjects."""
    return _Finder(reading, known).find()


class _Finder(CueRules, CapitalRules):
    """One walk over a text."""

    def find(self) -> list[Mention]:
        interesting = ANY_GIVEN | CUE
        words = self.words
        for i, f in enumerate(self.flags):
            word = words[i]
            if i <= self.taken_to or word == "I":
                continue
            if not (f & interesting or word < "a" or word > _LAST_PLAIN or len(word) == 1):
                continue
            if mention := self._at(i):
                self.found.append(mention)
                self.taken_to = mention.last
        return self._with_repetitions()

    def _at(self, i: int) -> Mention | None:
        word, f = self.words[i], self.flags[i]
        if word[0] == "[" or word[0].isdecimal() or "_" in word:
            return None
        if f & CUE and (mention := self._after_cue(i)):
            return mention
        if "-" in word and _SPELLED.match(word):
            return self._mention(i, i)
        if len(word) == 1 and (mention := self._letters(i) or self._relatives_initial(i)):
            return mention
        if i and self.lows[i - 1] == "initials" and self.seps[i] in {" ", ": "} and word[0].isupper():
            return self._mention(i, i)
        if (
            len(word) == 1
            and i + 2 < self.count
            and self.seps[i + 1] in {".", ". "}
            and self.lows[i] + self.lows[i + 1] in _DOTTED_RANKS
        ):
            return self._after_rank(i + 1)
        if self._is_capital(i):
            return self._capitals(i)
        if not word.isascii() and word[0] > "\u0590":
            if (
                i
                and self.lows[i - 1] in _INTRODUCES
                and self.seps[i] in {" ", ": ", ":"}
                and self.lows[i] not in _NO_NAME_IN_SCRIPT
            ):
                return self._introduced(i)
            if f & ANY_GIVEN or self.latin:
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
        if self.caseless and f & STRONG and self._owns(i) and i + 2 < self.count:
            owned = i + 2
            if self.lows[owned] in _AFTER_OWNER or self.flags[owned] & KIN:
                return self._mention(i, i)  # `will's his stepson`
        if f & GIVEN and not f & _FIRM and (self.shouted or not word[0].isupper()):
            return self._in_lower_case(i) if self.caseless or f & STRONG else None
        if (
            not word.isascii()
            and not word[0].islower()
            and (f & ANY_GIVEN or (word[0] > "\u0590" and self.latin))
        ):
            return self._other_script(i)
        return None

    def _letters(self, i: int) -> Mention | None:
        """`p r y c e`, a name spelled; `K.W.`, `L.F.-H.`, the initials of somebody."""
        if (
            i
            and len(self.words[i - 1]) == 1
            and self.words[i - 1].isalpha()
            and self.seps[i] in _BETWEEN_LETTERS
        ):
            return None  # within a longer row, which has been looked at: each row is read once
        end = i
        while (
            end + 1 < self.count
            and self.seps[end + 1] in _BETWEEN_LETTERS
            and len(self.words[end + 1]) == 1
            and self.words[end + 1].isalpha()
        ):
            end += 1
        seps = {self.seps[k] for k in range(i + 1, end + 1)}
        if "".join(self.lows[i : end + 1]) in self.known:
            return self._skip(end)  # the officer's surname, spelled
        if (
            end - i >= _FEWEST_SPELLED
            and seps <= {" ", "-", ", "}
            and (end - i > _FEWEST_SPELLED or self.words[i].islower())
        ):
            return self._mention(i, end)
        if i and (self.flags[i - 1] & POLICE_WORD or self.lows[i - 1] in _NO_INITIALS_AFTER):
            return None
        closes = end + 1 >= self.count or (self.seps[end + 1][:1] == "." and not self._is_name_of(end + 1))
        if (
            1 <= end - i <= _MOST_INITIALS
            and closes
            and seps <= {".", ". ", ".-", "-"}
            and any("." in sep for sep in seps)
            and all(self.words[k].isupper() for k in range(i, end + 1))
            and "".join(self.lows[i : end + 1]) not in _NO_INITIALS
        ):
            return self._mention(i, end)
        return None

    def _relatives_initial(self, i: int) -> Mention | None:
        """`her children K and D`: a letter for each."""
        word, last = self.words[i], i - 1
        closes = (
            i + 1 >= self.count
            or self.seps[i + 1] != " "
            or self.lows[i + 1] in {"and", "is", "was", "who", "has"}
        )
        if not i or not word.isupper() or word in {"I", "A"} or not closes or self.seps[i] != " ":
            return None
        goes_on = (
            bool(self.found)
            and self.found[-1].last == i - 2
            and self.lows[last] == "and"
            and not self.found[-1].names
        )
        is_kin = bool(self.flags[last] & KIN) and self.words[last].islower() and self.lows[last] != "child"
        return self._mention(i, i, kin=True) if goes_on or is_kin else None

    def _is_name_of(self, i: int) -> bool:
        """Whether a surname follows the initials."""
        return (
            self.seps[i] in {". ", "."}
            and self._is_capital(i)
            and bool(self.flags[i] & ANY_NAME or not self.flags[i])
        )

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
        if before in _DETERMINERS or before in PLACE_BEFORE:
            return None
        after = i + 1
        followed = (
            after < self.count
            and self.seps[after] == " "
            and (
                (self.flags[after] & SURNAME and not self.flags[after] & ENGLISH)
                or self.lows[after]
                in {
                    "who",
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

    def _in_lower_case(self, i: int) -> Mention | None:
        low, f = self.lows[i], self.flags[i]
        if len(low) < 3 or low in STOP:
            return None
        if low in _ALPHABET and not _ALPHABET.isdisjoint((*self.lows[i - 1 : i], *self.lows[i + 1 : i + 2])):
            return None  # `papa oscar six nine`
        sep = self.seps[i]
        before = self.lows[i - 1] if i and sep == " " else ""
        after = i + 1
        if (
            after < self.count
            and self.seps[after] == " "
            and self.flags[after] & AFTER_A_PLACE
            and not (self.flags[after] & (COMMON | ANY_GIVEN) and not self.flags[after] & (STREET | SCHOOL))
        ):
            return None
        if f & PLACE and (before in PREPOSITIONS or before == "the"):
            return None
        if i and self.words[i - 1][0].isdecimal() and after < self.count and self.flags[after] & STREET:
            return None
        end = self._extend_lower(i)
        if end > i and " ".join(self.lows[i : end + 1]) in places():
            return self._skip(end)
        if end + 1 < self.count and self.seps[end + 1] == " " and self.flags[end + 1] & (STREET | SCHOOL):
            return None
        return self._mention(i, end)

    def _introduced(self, i: int) -> Mention | None:
        """The word after `name is` or a word for kin in Urdu, Punjabi, Hindi, Bengali or Arabic, and the second name."""
        end = i
        is_name = self.lows[i - 1] in _NAME_IN_SCRIPT
        if (
            is_name
            and i + 1 < self.count
            and self.seps[i + 1] == " "
            and self.words[i + 1][0] > "\u0590"
            and self.lows[i + 1] not in _NO_NAME_IN_SCRIPT
        ):
            end = i + 1
        return self._mention(i, end, is_self=is_name, kin=not is_name)

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
        added += [
            self._mention(at, at)
            for at in self.reading.tokens_of(names - self.known)
            if at not in taken
            and self._is_capital(at)
            and self.flags[at] & HARMLESS
            and self.flags[at] & ANY_GIVEN
            and not self.flags[at] & MONTH
        ]
        if self.caseless:
            added += [
                self._mention(at, at)
                for at in self.reading.tokens_of(names)
                if at not in taken
                and self.flags[at] & ANY_GIVEN
                and not self.flags[at] & (COMMON | VERB | MONTH)
                and not (at and self.seps[at] == " " and self.lows[at - 1] in _DETERMINERS - _POSSESSORS)
            ]
            taken |= {mention.first for mention in added}
        added += self._signatures(taken)
        added += self._last_line(
            taken | {at for mention in added for at in range(mention.first, mention.last + 1)}
        )
        added += [
            Mention(at, at, at, (self.lows[at][:-1],))
            for at in self.reading.tokens_of({name + "s" for name in names})
            if at not in taken
            and not self.flags[at] & ENGLISH
            and (self.caseless or self.words[at].islower())
        ]
        if added:
            self.found = sorted(self.found + added, key=lambda mention: mention.first)
        return self.found

    def _last_line(self, taken: set[int]) -> Iterator[Mention]:
        """A last line that is a name or initials alone signs the text: `D.`, `Humphrey Cattermole`."""
        start = self.count - 1
        while start > 0 and self.count - start < _LONGEST_SIGNATURE and "\n" not in self.seps[start]:
            start -= 1
        if start < 1 or "\n" not in self.seps[start] or not taken.isdisjoint(range(start, self.count)):
            return
        rest = range(start, self.count)
        if all(
            self._is_capital(i)
            and self.words[i].isalpha()
            and not self.flags[i] & (POLICE_WORD | HARMLESS | ORG | KIN | ROLE | PLACE | AFTER_A_PLACE)
            and (not self.flags[i] & ENGLISH or self.flags[i] & GIVEN or (len(self.words[i]) == 1))
            and (i == start or self.seps[i] in {" ", ". ", "."})
            for i in rest
        ) and (
            len(rest) > 1
            or len(self.words[start]) == 1
            or self.flags[start] & ANY_NAME
            or not self.flags[start]
        ):
            yield self._mention(start, self.count - 1, is_self=True)

    def _signatures(self, taken: set[int]) -> Iterator[Mention]:
        """The line after `Regards,` and the like, whatever the case of its name."""
        if not any(f & THANKS for f in self.flags):
            return
        for i in [i for i, f in enumerate(self.flags) if f & THANKS]:
            if i + 1 >= self.count:
                continue
            start = i + 1
            while start < self.count and self.flags[start] & THANKS and self.seps[start] in {" ", ", "}:
                start += 1
            if start >= self.count or start in taken:
                continue
            sep = self.seps[start]
            if not ("\n" in sep or sep in {", ", " - "}) or self.lows[start] in STOP:
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
