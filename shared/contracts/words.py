"""The closed word lists of the contracts: what the code itself decides by.

Open lists (forces, categories, criteria, dispositions) are data: see `shared.vocabulary`.
"""

from typing import Literal

Channel = Literal["phone", "web", "post", "partner"]
SubjectRole = Literal["accused", "failed_to_act", "witness", "mentioned"]
Wish = Literal["pass_on", "ask_me_first", "only_with_another"]
Guess = Literal["yes", "no", "unknown"]
NationalLetter = Literal["A", "B", "C", "D", "E", "F", "G", "H", "J", "K", "L"]
TraceKind = Literal[
    "address",
    "bank-account",
    "card",
    "date-of-birth",
    "driving-licence",
    "email",
    "handle",
    "identity-number",
    "ip-address",
    "link",
    "name",
    "national-insurance",
    "nhs-number",
    "number",
    "phone",
    "postcode",
    "reference",
    "school",
    "vehicle",
    "workplace",
]
"""What is taken out of texts; a mark such as `[phone]` names it. The sanitiser's `KINDS` are the same."""
