"""Names by their capitals and the gazetteers, told apart from streets, places, organisations and the like.

A run of capitals is a place or an organisation by its last word, by the gazetteer of places, or by the preposition
before it; else it is a person.
"""

from typing import Final

from shared.sanitiser.lexicon import (
    BUILDING,
    CALLED,
    CALLER,
    COMMON,
    ENGLISH,
    GIVEN,
    HARMLESS,
    KIN,
    MONTH,
    ORG,
    PLACE,
    POLICE,
    RANK,
    RARE_GIVEN,
    ROLE,
    SCHOOL,
    STREET,
    STRONG,
    SURNAME,
    TITLE,
    VERB,
    places,
    public_names,
    words,
)
from shared.sanitiser.walk import (
    AFTER_A_PLACE,
    ANY_GIVEN,
    ANY_NAME,
    PLACE_BEFORE,
    PREPOSITIONS,
    STOP,
    WITHIN,
    Mention,
    TokenWalk,
)

_BEFORE_VERB: Final = words("that can will to please just you i we they could would should")
_OBJECTS: Final = words("my me us your him them")
_KNOWN_AS: Final = words("known goes go went answers called calls")
_THINGS: Final = words("it which that place group app street road pub")
_POSSESSORS: Final = words(
    "my our your his her their me wee big little eldest youngest older younger late clr's caller's s half ex step"
)
_CALLERS_OF_PERSONS: Final = words("they we everyone everybody people who him her them lads kids all")
_TO_PERSONS: Final = words("told asked ask rang texted phoned married loves hates helped w alongside")
_ASKED_OF: Final = words(
    "who girl boy lad woman child person friend partner victim daughter son sister brother mother kid"
)
_HUMANS: Final = words("woman man lady lad girl boy guy bloke chap fella lass kid lodger carer")
_ONE: Final = words("a an the this that young old another some wee local one little")
_FAMILIES: Final = words("brothers family sisters twins boys lads household kids children")


class CapitalRules(TokenWalk):
    """What a run of capitals may be."""

    def _starts_sentence(self, i: int) -> bool:
        sep = self.seps[i]
        if i == 0:
            return True
        if sep in WITHIN or sep in {" '", ' "'}:
            return False
        if sep == ". " and (len(self.words[i - 1]) == 1 or self.flags[i - 1] & (TITLE | RANK)):
            return False
        return sep != "."

    def _capitals(self, i: int) -> Mention | None:
        """The name that a run of capitals from token `i` on may be."""
        word, low, f = self.words[i], self.lows[i], self.flags[i]
        starts_sentence = self._starts_sentence(i)
        if low in STOP or (len(word) == 1 and not self._is_initials(i)):
            return None
        if word[-1].isdecimal() and "_" not in word:
            return None  # `GK68 TDV`
        if f & (KIN | ROLE) and not f & ANY_GIVEN:
            return None
        if low == "st":
            return self._saint(i)
        if (f & HARMLESS and not f & GIVEN) or (f & (POLICE | TITLE) and not f & ANY_GIVEN):
            return self._skip_proper(i)
        if f & HARMLESS and not self._is_name_after_all(i):
            return self._skip_proper(i)
        if self._is_station_of_officer(i) or (i and self._calls_a_thing(i - 1)):
            return self._skip(self._extend(i))
        if (
            i + 2 < self.count
            and self.lows[i + 1] in {"of", "on", "upon", "under", "the"}
            and " ".join(self.lows[i : i + 3]) in places()
        ):
            return self._skip(i + 2)
        if (
            i + 2 < self.count
            and self.seps[i + 1] == "'"
            and self.lows[i + 1] == "s"
            and f"{low}'s {self.lows[i + 2]}" in places()
        ):
            return self._skip(i + 2)  # `King's Lynn`
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
            return self._skip(end if self._is_ended_by_place(i, end) else min(end + 1, self.count - 1))
        if end > i and " ".join(self.lows[i : end + 1]) in public_names():
            return self._skip(end)
        length = end - i + 1
        before = self.lows[i - 1] if i and self.seps[i] in {" ", " '", ' "'} else ""
        if (
            before == "the"
            and end + 1 < self.count
            and self.lows[end + 1] in _FAMILIES
            and self.seps[end + 1] == " "
            and (f & SURNAME or not f)
        ):
            return self._mention(i, end)
        if before in {"the", "y", "yr"} and not f & GIVEN:
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
        if self._is_place_of_person(i):
            return True
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
        if f & PLACE and not f & STRONG and last & PLACE | ENGLISH and before in PLACE_BEFORE:
            return self._skip(end)
        if starts_sentence and f & COMMON and f & GIVEN and not (last & SURNAME and not last & ENGLISH):
            return None
        if before in PLACE_BEFORE and f & PLACE and not f & GIVEN:
            return self._skip(end)
        if f & PLACE and not f & ANY_NAME and last & ENGLISH and not last & ANY_NAME:
            return self._skip(end)  # `Brighton Pride`
        if not any(flags & ANY_NAME for flags in self.flags[i : end + 1]) and before in PREPOSITIONS:
            return self._doubt(end)
        return self._mention(i, end)

    def _single(self, i: int, before: str, *, starts_sentence: bool) -> Mention | None:
        word, f = self.words[i], self.flags[i]
        if self._is_place_of_person(i):
            return self._mention(i, i)
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
            if f & PLACE and before in PLACE_BEFORE and not self._is_person_place(i, before):
                return self._skip(i)
            if not f & STRONG and before in PLACE_BEFORE - {"to", "from"} and not self._owns(i):
                return self._doubt(i)
            return self._mention(i, i)
        if f & GIVEN:
            if before in _BEFORE_VERB and i + 1 < self.count and self.lows[i + 1] in _OBJECTS:
                return None  # `that Mark my words`, `can Bill me`
            if starts_sentence:
                if (f & COMMON and not self._is_told_of(i)) or not after_verb:
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
            if self.lows[i] in self.known and self._owns(i):
                return self._mention(i, i)
            if self.flags[i - 1] & KIN and i and self.seps[i] == " ":
                return self._mention(i, i)
            if not self._is_surname_place(i, before):
                return self._skip(i)
            return self._mention(i, i)
        if f & ENGLISH:
            if not f & (COMMON | HARMLESS) and self._goes_on_a_list(i):
                return self._mention(i, i)
            if (
                f & (SURNAME | RARE_GIVEN)
                and not starts_sentence
                and not f & COMMON
                and self._has_private_cue(i)
            ):
                return self._mention(i, i)
            if self._has_name_cue(i) or self._answers_for_a_name(i):
                return self._mention(i, i)
            self.doubtful.append(i)
            return None
        if f & AFTER_A_PLACE or f & (RANK | POLICE):
            return None
        if self._has_name_cue(i):
            return self._mention(i, i)
        if before in PLACE_BEFORE and not f & RARE_GIVEN:
            return self._doubt(i)
        if f & RARE_GIVEN:
            return self._mention(i, i)
        if starts_sentence:
            if self._answers_for_a_name(i) or after_verb or self._is_label(i) or self._is_list_of_names(i):
                return self._mention(i, i)
            self.doubtful.append(i)
            return None
        if any(c.isdecimal() for c in word):
            return None
        if i and self.seps[i] == ", " and self._closes_place(i) and not self._goes_on_a_list(i):
            return self._doubt(i)
        if (
            word[1:] != word[1:].lower()
            and "-" not in word
            and not word.startswith(("Mc", "Mac", "O'", "D'", "N'", "De", "Le", "La"))
        ):
            return self._skip(i)  # AirTag, YouTube
        return self._mention(i, i)

    def _is_place_of_person(self, i: int) -> bool:
        """Whether only a person's name can stand there, whatever else the word means: `my husband Art`, `her daughter is
        Liberty`, `a lad known locally as Flash`, `a woman they call Treacle`."""
        if (
            i < 2
            or self.seps[i] not in {" ", ' "', " '"}
            or self.flags[i] & (POLICE | RANK | MONTH | KIN | ROLE)
        ):
            return False
        word, last, f = self.words[i], i - 1, self.flags[i]
        if word.isupper() or (f & HARMLESS and not f & ANY_GIVEN) or (f & PLACE and not f & ANY_NAME):
            return False
        if self.seps[i] != " " and i + 1 < self.count and self.seps[i + 1][:1] in {'"', "'"}:
            return bool(self.flags[last] & GIVEN and self._is_capital(last)) or bool(
                self.flags[last] & (CALLER | KIN)
            )
        if self.lows[last] in {"as", "by"}:
            known = set(self.lows[max(0, i - 4) : last])
            return bool(known & _KNOWN_AS) and not known & _THINGS
        if self.lows[last] in {"is", "s", "was"} and self.seps[last] in {" ", "'"}:
            owner = last - 1
            return (
                bool(self.flags[owner] & KIN)
                and self.words[owner].islower()
                and self.lows[owner - 1] in _POSSESSORS
                and (bool(f & ANY_NAME) or not f)
                and (i + 1 >= self.count or self.seps[i + 1] != " " or not f & ENGLISH)
            )
        if self.lows[last] in {"call", "calls", "called", "named", "nicknamed"}:
            return self.lows[last - 1] in _CALLERS_OF_PERSONS or (
                self.lows[last] in {"called", "named", "nicknamed"}
                and bool(self.flags[last - 1] & (KIN | ROLE))
            )
        if not self.words[last].islower() or (
            i + 1 < self.count and self._is_capital(i + 1) and self.seps[i + 1] == " "
        ):
            return False
        if self.flags[last] & KIN and self.lows[last - 1] in _POSSESSORS:
            return True
        if self.lows[last] in _TO_PERSONS and not f & (COMMON | PLACE):
            return True
        return (
            self.lows[last] in _HUMANS and self.lows[last - 1] in _ONE and (not f & PLACE or bool(f & GIVEN))
        )

    def _is_told_of(self, i: int) -> bool:
        """`Mark is my son`: a common word, but for what follows."""
        return (
            bool(self.flags[i] & STRONG)
            and self.lows[i] not in {"will", "may", "can"}
            and self.lows[i + 1] in {"is", "was", "said", "says", "told", "has", "came", "went", "s"}
        )

    def _answers_for_a_name(self, i: int) -> bool:
        """`Surname? O'Shea.`: what is said to a question for a name."""
        for k in range(i - 1, max(-1, i - 6), -1):
            if "?" in self.seps[k + 1]:
                asked = self.lows[max(0, k - 6) : k + 1]
                return self.lows[k] in {"name", "surname", "called", "forename"} or (
                    not self.flags[i] & COMMON
                    and (i + 1 >= self.count or self.seps[i + 1][0] in ".,\n")
                    and not _ASKED_OF.isdisjoint(asked)
                )
        return False

    def _is_station(self, i: int, before: str) -> bool:
        """`PC Leo Standish, Leigh, did it`, `PC Toby Jugg of Melton`: a place after an officer."""
        if before == "of" and i > 1 and self.words[i - 2][0].isupper():
            return True
        if self.seps[i] not in {", ", " ("} or not self.words[i - 1][0].isupper():
            return False
        closes = i + 1 >= self.count or self.seps[i + 1][0] in ",.;)\n"
        return closes and any(self.flags[k] & RANK for k in range(max(0, i - 5), i))

    def _is_station_of_officer(self, i: int) -> bool:
        """`PC Megan Thewlis, South Shields,`, `PC Gwion Pugh, Y Bala`, `DS Ace (Haverford)`: what follows the name of
        an officer and closes there, but for a given name."""
        if not self.found or not self.found[-1].rank:
            return False
        last = self.found[-1].last
        if not (
            (last == i - 1 and self.seps[i] in {", ", " ("})
            or (
                last == i - 2
                and self.seps[i] == self.seps[i - 1] == " "
                and self.lows[i - 1] in {"of", "from", "at"}
            )
        ):
            return False
        f = self.flags[i]
        if f & (GIVEN | TITLE | RANK | KIN | ROLE) and not f & PLACE:
            return False
        end = self._extend(i)
        if f & STRONG and (end > i or not f & PLACE):
            return False
        return last == i - 2 or end + 1 >= self.count or self.seps[end + 1][0] in ",.;)\n"

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

    def _is_initials(self, i: int) -> bool:
        """`B. T. Cole`, `J Smith`: an initial before a surname."""
        if self.words[i] in {"I", "A", "O", "Y"} and not (
            i + 1 < self.count and self.seps[i + 1] in {". ", "."}
        ):
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
            before not in PREPOSITIONS
            and bool(self.flags[i] & SURNAME)
            and (
                self._has_private_cue(i)
                or (self._is_followed_by_person_verb(i) and not self._starts_sentence(i))
            )
        )

    def _has_private_cue(self, i: int) -> bool:
        if i == 0 or self.seps[i] not in WITHIN:
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
            and not any(map(str.isdecimal, self.words[i]))
        )

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

    def _goes_on_a_list(self, i: int) -> bool:
        """`Fred, Ludo, Piers`, `with Yiannis and Spud`: after the single name of somebody who is no officer."""
        if not self.found or self.found[-1].rank or self.found[-1].first != self.found[-1].last:
            return False
        last = self.found[-1].last
        if last == i - 2 and self.lows[i - 1] in {"and", "&"} and self.seps[i] == self.seps[i - 1] == " ":
            return not (i + 1 < self.count and self.seps[i + 1] == " " and self._is_capital(i + 1))
        return (
            last == i - 1
            and self.seps[i] == ", "
            and (
                self.seps[last] == ", "
                or (i + 1 < self.count and self.seps[i + 1] == ", " and self._is_capital(i + 1))
            )
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
