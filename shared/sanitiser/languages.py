"""The language of a text, as far as it matters here: English or Welsh, which the recognisers know, or another.

A text in another script, or with a part of it in the commonest words of another language, is never sure.
"""

from typing import Final

from shared.sanitiser.lexicon import words
from shared.sanitiser.reading import Reading

_WORDS: Final = {
    "pl": "jest nie się sie że ze na do to co jak ale dla przez przed był była byla mnie mam moja moj mój policja policjant bardzo prosze proszę dzień dzien dobry tylko mi mu jego jej ich który ktory gdzie kiedy chce wiem",
    "ro": "este sunt nu și si că ca pe la cu din mă ma mi mea meu soțul sotul poliția politia polițistul politistul pentru foarte bună buna când cand care dar am avea fost lui ei unde mult fiica fiul vă va rog",
    "es": "el la los las es está esta no que de en un una por para con mi su se lo policía policia yo pero cuando hola gracias muy hijo hija señor me le dijo donde porque era fue",
    "pt": "o os as é não nao que de em um uma por para com meu minha seu se polícia policia eu mas quando olá ola obrigado obrigada muito filho filha ele ela disse onde foi era estava",
    "tr": "bir ve bu ben beni bana benim çok cok için icin değil degil polis ama var yok ne gibi daha sonra oğlum oglum kızım kizim kadar şey sey ile dedi evde bizim",
    "so": "waa waan waxaan ma iyo ka ku la aan uu ay booliiska booliis wiil gabar waxay inuu magacaygu ii aniga hadda mid wuxuu waxa",
    "ur": "mera mere meri hai hain ka ki ke ko ne se aur nahi nahin mein main ye yeh wo woh tha thi the kya bhi kar raha rahi hum aap tum par policewale bete beti naam",
    "bn": "amar ami amake tar ke ki na hoyeche ache ebong kore bole chele meye amader tara polish",
    "fr": "le la les est et je ne pas que un une des pour dans avec mon ma il elle nous police mais très tres vous était dit",
    "de": "der die das ist und ich nicht ein eine zu mit mein meine er sie wir polizei aber sehr auf für fur war hat von dem den",
    "it": "il la che è non di un una per con mio mia sono mi polizia ma molto lui lei ha era",
    "lt": "ir yra ne aš as kad su mano policija buvo jis ji bet labai man į is iš tai",
    "sq": "është eshte dhe në ne një nje nuk të te me për per policia mua im ime ishte por kam",
    "hu": "és egy nem van hogy az ez én rendőr rendor volt de nagyon férjem fiam",
    "cs": "je se na že ze to jsem není neni policie můj muj ale byl byla mi do",
    "vi": "là tôi không và của có cho một người nguoi cảnh sát canh chồng con đã",
    "ku": "ez min li bi di ji ku û ne bû bu polis wî wi kurê jin",
    "yo": "mo ni ti si wa won mi olopa omo o je ko",
}
_SETS: Final = {code: frozenset(words.split()) for code, words in _WORDS.items()}
_ALL: Final = frozenset().union(*_SETS.values())
_ENGLISH_TOO: Final = words(
    "a an the to do me no in is it on as at he we be so us my or of if up by go am i ma la de en un in per con era for o e y is sunt the pe mi ne te ke ki ka ko se ye the tara tar par main hum bin bir ben par the sit ale kid mam co sex van war hat die dem den das also den hum man fur con fin so mid li di ji bi ez ti si wa won je ii ay"
)
_DISTINCT: Final = {code: words - _ENGLISH_TOO for code, words in _SETS.items()}
_TELLING: Final = frozenset().union(*_DISTINCT.values())
_SHARE: Final = 0.12
_LEAST: Final = 3
_ENGLISH: Final = words(
    "the and to of was he she my is it that in on for with his her they i you have had not but at me him were from a"
)


def is_other_language(reading: Reading) -> bool:
    """Whether a part of the text is in neither English nor Welsh."""
    text = reading.text
    if not text.isascii() and _other_letters(text) > 3:
        return True
    lows = reading.lows
    if not lows:
        return False
    hits = [low for low in lows if low in _TELLING]
    if len(hits) < _LEAST or len(set(hits)) < _LEAST:
        return False
    for own_words in _DISTINCT.values():
        own = [low for low in hits if low in own_words]
        if len(set(own)) >= _LEAST and len(own) >= _SHARE * len(lows):
            return True
    # A sentence in the midst of an English text.
    english = sum(low in _ENGLISH for low in lows)
    return any(
        len({low for low in hits if low in own_words}) >= 5 for own_words in _DISTINCT.values()
    ) and english < 0.25 * len(lows)


def _other_letters(text: str) -> int:
    return sum(
        character.isalpha()
        for character in text
        if character >= "\u0370" and not "\u1e00" <= character <= "\u1fff"
    )
