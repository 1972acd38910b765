"""Short forms of forenames, and names that are written in several ways, as people in Britain use them.

Dan begins as Daniel does; Dave and Bob do not begin as David and Robert do, and are listed here. One name may
stand in several lines.
"""

from typing import Final

_ONE_PERSON: Final = """
abigail abbie abby
alan allan alun al
albert bert al
alexander alexandra sandy sasha alec lex
alfred alf fred
alison ali
amanda mandy
andrew andy drew
angus gus
ann anne anna nancy nan annie
anthony antony tony ant
arthur art artie
barbara babs
barry baz
benjamin benny
bernard bernie
caroline carrie caz
catherine katherine kathryn kate katie kathy cathy kath kat cath kitty kit
charles charlie chuck chas
charlotte lottie charlie
christina christine tina chris
christopher christine chris kit
cynthia cindy
daniel danny
darren daz
david dave davy davey
deborah debra debbie
derek del
dominic dom
donald don
dorothy dot dolly
duncan dunc
edward ed eddie ted ned teddy
eleanor ellen nell ellie nellie
elizabeth elisabeth liz lizzie beth betty libby eliza lisa bess
ernest ernie
florence flo
frances fran frankie
francis frank frankie fran
frederick fred freddie
gary gaz
geoffrey jeffrey geoff jeff
gerald jerry gerry
gillian jill gill
graham graeme grahame
harold harry
harriet hattie
helen nell
henry harry hank
herbert bert herb
hugh huw
imogen immy
isabella isobel isabel bella izzy issy
jacob jake
jacqueline jackie jacqui
james jim jimmy jamie
janet jan
jason jay
jennifer jenny jen
jeremy jerry jez
joanna joanne jo
john jon jack johnny jonny
jonathan jon jonny
joseph joe joey
josephine jo josie
judith judy
kenneth kenny
laurence lawrence larry laurie
leonard len lenny
leslie lesley les
lewis louis lou
louise lou
margaret maggie peggy meg peg madge maisie marge greta
marion marian
martin marty
mary molly polly maria mae
matthew matt matty
michael mike mick mickey micky
mohammed muhammad mohamed mohammad muhammed mo
natasha tasha
nathaniel nathan nat
nicholas nicolas nick nicky
nicola nicky niki
norman norm
oliver ollie olly
pamela pam
patricia pat patsy trish tricia
patrick paddy pat
penelope penny
philip phillip phil pip
philippa pippa pip
raymond ray
rebecca becky becca bex
reginald reg
richard dick rick rich ricky richie
robert bob rob bobby bert robbie
ronald ron ronnie
rosemary rose rosie
samantha samuel sam sammy
sarah sara sally
sharon shaz
stephanie steph
stephen steven steve ste
stuart stewart stu
susan suzanne susannah sue susie suzie
terence terry tel
theodore ted theo
theresa teresa terry tess
thomas tom tommy
timothy tim
tobias toby
valerie val
veronica ronnie
victoria vicky tori
vincent vince
walter wally walt
wilfred wilf fred
william bill will billy willy liam
zachary zach zak
"""

_LINES: Final[dict[str, frozenset[int]]] = {
    name: frozenset(number for number, line in enumerate(_ONE_PERSON.split("\n")) if name in line.split())
    for name in _ONE_PERSON.split()
}

_INITIALS: Final[dict[str, frozenset[str]]] = {
    name: frozenset(other[0] for other, lines in _LINES.items() if not lines.isdisjoint(of))
    for name, of in _LINES.items()
}


def may_be_one_forename(one: str, other: str) -> bool:
    """Whether two forenames in small letters may be called of one person: Dave, David; Bob, Robert."""
    shorter, longer = sorted((one, other), key=len)
    if one == other or (len(shorter) > 2 and longer.startswith(shorter)):
        return True
    return not _LINES.get(one, frozenset()).isdisjoint(_LINES.get(other, frozenset()))


def initials_of(name: str) -> frozenset[str]:
    """The letters with which a forename, or a short form of it, may begin: R and B for Robert."""
    return _INITIALS.get(name) or frozenset(name[:1])
