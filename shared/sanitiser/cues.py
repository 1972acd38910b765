"""Names by the words before them: titles, ranks, kin, roles, introductions, `called`, `my name is`."""

from typing import Final

from shared.sanitiser.lexicon import (
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
    PARTICLE,
    RANK,
    RARE_GIVEN,
    ROLE,
    SURNAME,
    TITLE,
    VERB,
    places,
    words,
)
from shared.sanitiser.walk import ANY_GIVEN, ANY_NAME, POLICE_WORD, STOP, WITHIN, Mention, TokenWalk

_MOST_RANKS: Final = 6
_SELF: Final = frozenset(("i'm", "im"))
_CALL_ME: Final = frozenset(("me", "us", "him", "her", "them"))
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
_OF_KIN: Final = words("uncle auntie aunty aunt cousin nana nanna gran granny grandad grandpa")
_PLAIN_TITLES: Final = words("mr mrs ms miss mx")
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


class CueRules(TokenWalk):
    """What may follow a cue."""

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
            self.seps[start] not in WITHIN
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
        if self._calls_a_thing(i):
            return 0, False, False
        if low in {"calls", "call", "christened"}:
            if start < self.count and self.lows[start] in _CALL_ME:
                return start + 1, True, self.lows[start] == "me"
            return 0, False, False
        if low in {"called", "named", "nicknamed"}:
            if start < self.count and self.lows[start] in _CALL_ME:
                return start + 1, False, False
            return start, low != "called" or not (i and self.lows[i - 1] in _PRONOUNS), False
        if low in {"aka", "alias"}:
            return start, True, False
        if low in {"goes", "go", "going", "went"}:
            if start < self.count and self.lows[start] == "by":
                start += 3 if self.lows[start + 1 : start + 3] == ["the", "name"] else 1
                return start, True, False
            return 0, False, False
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
        linked = linked or owner in {"stage", "street", "pet", "pen"}
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
            and self.seps[start + 1] in WITHIN
        ):
            start += 1
        if self._is_capital(start) and (self.lows[start] not in STOP or self.flags[start] & GIVEN):
            if self.seps[start] == ": " and self.flags[start] & ENGLISH:
                return None
            end = self._extend(start)
            return self._mention(start, end, rank=True, is_self=self._is_said_of_oneself(i, end))
        if self.caseless or self.words[start][0].islower():
            f = self.flags[start]
            if (
                f & (COMMON | VERB | ROLE | KIN | PARTICLE)
                or self.lows[start] in STOP
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
        while back and self.flags[back] & POLICE_WORD and self.seps[back + 1] == " ":
            back -= 1
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
        if self.lows[i] in _PLAIN_TITLES and self.lows[start : start + 1] in (["and"], ["&"], ["n"]):
            # `mr and mrs begum-ali`: the second title has the name
            return None
        if start >= self.count or self.seps[start] not in {" ", ". ", "."}:
            return None
        if (
            self.lows[i] in _PLAIN_TITLES
            and self.words[start].islower()
            and (mention := self._after_plain_title(i))
        ):
            return mention
        if (
            self.flags[i] & ENGLISH
            and self.words[i][0].islower()
            and not (self.caseless and (self._is_plain_name(start) or self._is_nickname_of_kin(i)))
        ):
            return None
        low = self.lows[start]
        if " ".join(self.lows[i : start + 1]) in places():
            return None
        if low in STOP and not (len(low) == 1 and self.words[start].isupper()):
            return None
        f = self.flags[start]
        if self._is_capital(start) or (len(self.words[start]) == 1 and self.words[start].isupper()):
            if f & (POLICE_WORD | TITLE) and not f & ANY_NAME:
                return None
            may_be_word = self.flags[i] & ENGLISH and f & ENGLISH and not f & ANY_NAME
            if (
                may_be_word
                and not self.flags[i] & KIN
                and (self.lows[i] not in _OF_KIN or f & (COMMON | HARMLESS))
            ):
                return None
            end = self._extend(start)
            return self._titled(i, start, end)
        if (
            self.caseless
            and not f & COMMON
            and (f & ANY_NAME or not f & ENGLISH or self._is_nickname_of_kin(i))
            and self.words[start].isalpha()
        ):
            return self._titled(i, start, self._extend_lower(start))
        if self.caseless and len(low) == 1 and low not in "ai" and low.isalpha():
            return self._titled(i, start, start)
        return None

    def _after_plain_title(self, i: int) -> Mention | None:
        """`miss okafor`, `mrs b` in lower case, whatever the case of the rest."""
        start = i + 1
        low, f = self.lows[start], self.flags[start]
        if len(low) == 1 and low.isalpha() and (low not in "ai" or self.lows[i] == "mrs"):
            return self._titled(i, start, start)
        if (
            low in STOP
            or not low[0].isalpha()
            or f & VERB
            or (f & COMMON and (not f & SURNAME or self.lows[i] == "miss"))
            or (self.lows[i] == "miss" and f & ENGLISH)
        ):
            return None
        return self._titled(i, start, self._extend_lower(start))

    def _is_nickname_of_kin(self, i: int) -> bool:
        """`my uncle curly went round`: a plain word between a relative and what the relative does."""
        after = i + 2
        return (
            self.lows[i] in _OF_KIN
            and bool(i)
            and self.lows[i - 1] in {"my", "me", "our", "his", "her", "their"}
            and bool(self.flags[i + 1] & ENGLISH)
            and not self.flags[i + 1] & (COMMON | VERB)
            and self.seps[i + 1] == " "
            and after < self.count
            and (
                self.seps[after] == "'"
                or bool(self.flags[after] & VERB)
                or self.lows[after] in {"and", "who"}
            )
        )

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
        if low in STOP or (f & (POLICE_WORD | MONTH) and not f & ANY_GIVEN):
            return None
        if f & RANK and self.words[start].isupper():
            return None  # `I'm DI Hale`: the rule for ranks finds it
        if is_self and f & HARMLESS:
            return None
        if f & TITLE and start + 1 < self.count and self._is_capital(start + 1):
            mention = self._after_title(start)
            if mention:
                mention.is_self = is_self
            return mention
        cue = start - 1
        is_nickname = (
            strong
            and not f & HARMLESS
            and self.words[cue].islower()
            and (
                (not f & COMMON and bool(self.flags[cue] & CALLED or self.lows[cue] in {"by", "as"}))
                or (self.lows[cue] in _CALL_ME and self._ends_here(start))
            )
        )
        if (
            f & ENGLISH
            and not f & ANY_GIVEN
            and not (f & SURNAME and strong and not f & COMMON)
            and not is_nickname
        ):
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
            low in STOP
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
