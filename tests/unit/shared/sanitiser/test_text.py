"""What leads to the caller goes, what identifies officer and event stays. All examples are invented."""

import pytest

from shared.sanitiser.text import Redaction, TextKind, sanitise

GOES = [
    # Telephone numbers, in all the ways that people write them
    ("Call me on 07700 900123.", "Call me on [phone]."),
    ("07700900123", "[phone]"),
    ("+44 7700 900123", "[phone]"),
    ("+44 (0)7700-900-123", "[phone]"),
    ("0044 7700 900 123", "[phone]"),
    ("(020) 7946 0018", "[phone]"),
    ("020.7946.0018", "[phone]"),
    ("07700,900,123", "[phone]"),
    ("07700\u2013900\u2013123", "[phone]"),
    ("0 7 7 0 0 9 0 0 1 2 3", "[phone]"),
    ("my number is 07700\n900123", "my number is [phone]"),
    ("7700 900123", "[phone]"),
    ("+353 87 123 4567", "[phone]"),
    ("\u0660\u0667\u0667\u0660\u0660 \u0669\u0660\u0660\u0661\u0662\u0663", "[phone]"),
    ("0770\u200b0900123", "[phone]"),
    ("ring 07700 900123 or 020 7946 0018", "ring [phone] or [phone]"),
    ("ring 07700 900123 22 times", "ring [phone] 22 times"),
    ("ring me on 794 6001", "ring me on [phone]"),
    ("my mobile number is 900123", "my mobile number is [phone]"),
    ("oh seven seven double oh, nine double oh, one two three", "[phone]"),
    ("zero seven seven zero zero nine hundred one two three", "[phone]"),
    ("07 seven double zero 900 one two three", "[phone]"),
    # E-mail
    ("write to jane.smith+x@example.co.uk please", "write to [email] please"),
    ("jane dot smith at example dot com", "[email]"),
    ("jane[at]example[dot]com", "[email]"),
    ("jane (at) example (dot) com", "[email]"),
    ("jane at example.com", "[email]"),
    ("jane @ example . com", "[email]"),
    # Postcodes and numbers of the state
    ("near SW1A 1AA now", "near [postcode] now"),
    ("m11ae.", "[postcode]."),
    ("NI number AB 12 34 56 C", "NI number [national-insurance]"),
    ("ab123456c", "[national-insurance]"),
    ("my NI number is AB 12 34 56", "my NI number is [national-insurance]"),
    ("NHS number 943 476 5919", "NHS number [nhs-number]"),
    ("9434765919", "[nhs-number]"),
    ("MORGA657054SM9IJ", "[driving-licence]"),
    # Money
    ("card 4111 1111 1111 1111", "card [card]"),
    ("account number 12345678", "account number [bank-account]"),
    ("sort code 12-34-56", "sort code [bank-account]"),
    ("my receipt is 1234 5678 9012 3456", "my receipt is [number]"),
    # Online
    ("from 192.168.10.12 and 2001:db8::1", "from [ip-address] and [ip-address]"),
    ("https://example.com/jane?x=1", "[link]"),
    ("see facebook.com/jane.smith.5.", "see [link]."),
    ("I am @jane_smith on there", "I am [handle] on there"),
    ("my Instagram is jane_s99", "my Instagram is [handle]"),
    # Staff write of the caller
    ("Caller Jane Hale, 07700 900123, was drunk", "Caller [name-1], [phone], was drunk"),
    ("the complainant (Jane Hale) rang twice", "the complainant ([name-1]) rang twice"),
    # Introductions
    ("My name is Jane Smith and I saw it", "My name is [name-1] and I saw it"),
    ("my name's jane smith and he hit me", "my name's [name-1] and he hit me"),
    ("MY NAME IS JANE SMITH AND HE HIT ME", "MY NAME IS [name-1] AND HE HIT ME"),
    ("My full name is Jane van der Berg.", "My full name is [name-1]."),
    ("my surname is O'Brien-Smith", "my surname is [name-1]"),
    ("my name is PC Jane Smith", "my name is PC [name-1]"),
    ("I am called Jane.", "I am called [name-1]."),
    ("This is Jane Smith calling about it", "This is [name-1] calling about it"),
    ("Hello, this is Jane Smith.", "Hello, this is [name-1]."),
    ("Jane Smith speaking.", "[name-1] speaking."),
    ("I'm Jane and he hit me", "I'm [name-1] and he hit me"),
    ("I\u2019m Jane", "I\u2019m [name-1]"),
    ("I am Mrs Smith", "I am [name-1]"),
    ("I, Jane Smith, saw it", "I, [name-1], saw it"),
    ("help.\nKind regards,\nJane Smith", "help.\nKind regards,\n[name-1]"),
    ("help. Regards, jane\n", "help. Regards, [name-1]\n"),
    ("Many thanks, J. Smith", "Many thanks, [name-1]"),
    ("Yours sincerely\n\nJane O'Brien", "Yours sincerely\n\n[name-1]"),
    ("my daughter Emma was there", "my daughter [name-1] was there"),
    ("my son's name is Tom Smith", "my son's name is [name-1]"),
    ("Caller's name is Jane Smith", "Caller's name is [name-1]"),
    ("Caller gave her name as Jane Smith.", "Caller gave her name as [name-1]."),
    ("The complainant, Jane Smith, states", "The complainant, [name-1], states"),
    ("Name: Jane Smith\nAddress: 12 Acacia Avenue, Leeds", "Name: [name-1]\nAddress: [address]"),
    # Home and belongings
    ("I live at Flat 3, 12 Acacia Avenue", "I live at [address]"),
    ("i live at 12 acacia avenue, leeds", "i live at [address], leeds"),
    ("we live on Acacia Road", "we live on [address]"),
    ("I live at 12 Acacia", "I live at [address]"),
    ("he came to my house at 12 Acacia Avenue twice", "he came to my house at [address] twice"),
    ("My address is 12 Acacia Avenue, Leeds. He", "My address is [address]. He"),
    ("I was born on 12 March 1985", "I was born on [date-of-birth]"),
    ("DOB 12/03/1985", "DOB [date-of-birth]"),
    ("my date of birth is 1985-03-12", "my date of birth is [date-of-birth]"),
    ("my car, AB12 CDE, was", "my car, [vehicle], was"),
    ("my registration is AB12 CDE", "my registration is [vehicle]"),
    ("I was driving AB12CDE", "I was driving [vehicle]"),
    ("outside 12 Acacia Avenue", "outside [address]"),
    # Formats that are never missed
    ("Anna Kowal, b. 22.11.1983, came", "[name-1], [date-of-birth], came"),
    ("KOWAL, ANNA 14/02/1990, Leeds", "[name-1], [name-2] [date-of-birth], Leeds"),
    ("her birthday is the eleventh of May two thousand and seven", "her birthday is the [date-of-birth]"),
    ("born ten March nineteen eighty", "born [date-of-birth]"),
    ("NI QQ 12 34 56 C", "NI [national-insurance]"),
    ("ref 8831 0042 7716 9005", "ref [number]"),
    ("Halifax, 07-04-36, 2219 0453", "Halifax, [bank-account]"),
    ("the card ends in 4471, exp 09/27", "the card ends in [number], exp [number]"),
    ("the lift code is 4471", "the lift code is [number]"),
    ("see janescakes.co.uk/about", "see [link]"),
    ("market.example/item/88120394", "[link]"),
    ("d dot hale at side minus tyres dot co dot uk", "[email]"),
    ("my nan's Micra AB12 CDE", "my nan's Micra [vehicle]"),
    ("he stopped us. Van AB12-CDE.", "he stopped us. Van [vehicle]."),
    ("her car AB12CDE", "her car [vehicle]"),
    ("dim saith saith dim dim, naw dim dim, pedwar tri un", "[phone]"),
    ("i'm in room 214", "i'm in [address]"),
    ("she is on ward B12", "she is on [address]"),
    ("I am on D wing 3-14", "I am on [address]"),
    ("booking ref STN4X9, frame no WTU284K0391", "booking ref [identity-number], frame no [identity-number]"),
    ("pension no. 21148812-W", "pension no. [identity-number]"),
    # Whom nothing makes police
    ("David Example hit me", "[name-1] hit me"),
    ("my husband David hit me", "my husband [name-1] hit me"),
    ("I'm DC Beattie on the same team", "I'm DC [name-1] on the same team"),
    ("PC Hale hit Tom Reed and his sister Ann", "PC Hale hit [name-1] and his sister [name-2]"),
    ("my car is papa oscar six nine lima yankee tango", "my car is [vehicle]"),
    # Names in other scripts, after the word for name or kin
    ("میرا نام نسرین اختر ہے", "میرا نام [name-1] ہے"),
    ("ਮੇਰਾ ਨਾਂ ਗੁਰਮੀਤ ਕੌਰ ਹੈ", "ਮੇਰਾ ਨਾਂ [name-1] ਹੈ"),
    ("আমার ছেলে তানভীর, ঢাকা", "আমার ছেলে [name-1], ঢাকা"),
    ("I am a police constable, Rosa Hale, in Leeds", "I am a police constable, [name-1], in Leeds"),
    ("i'm Uncle Dread, i run it", "i'm Uncle [name-1], i run it"),
    # Work and school
    ("She is a cleaner at Elm Strand library.", "She is a cleaner at [workplace]."),
    ("my fiance, a chef at the Royal Oak, saw", "my fiance, a chef at the [workplace], saw"),
    ("he is an employee of Sparkle FM Services", "he is an employee of [workplace]"),
    ("I was at work (Elm Moor canteen) then", "I was at work ([workplace]) then"),
    ("I taught at Hendon Primary then", "I taught at [school] then"),
    # Homes by their names
    ("they were down at Higher Elm Farm, all", "they were down at [address], all"),
    ("I'm at The Coach House, Dunham, or out", "I'm at [address], or out"),
    ("THE PLACE WAS ELM TREES CARE HOME IN LEEDS", "THE PLACE WAS [address] IN LEEDS"),
    ("the flats are called Jubilee Court", "the flats are called [address]"),
    ("the end of my own road, Elm Gardens", "the end of my own road, [address]"),
    ("Ann Cuthbert, The Manse. Saw it.", "[name-1], [address]. Saw it."),
    ("he lives over the road, no. 71.", "he lives over the road, [address]."),
    ("forty two stroke three Elm Street", "[address]"),
    ("Peter Sullivan\n33 The Ridings\nPinner", "[name-1]\n[address]\nPinner"),
    ("Address line 1: Narrowboat Wind\nTown: Leeds", "Address line 1: [address]\nTown: Leeds"),
    # Initials, nicknames, names spelled or in lower case
    ("The complainant, Q.Z., 31/W/F, states", "The complainant, [name-1]., 31/W/F, states"),
    ("it's mrs pryce, p r y c e, ok", "it's [name-1], [name-2], ok"),
    ("My teacher miss okafor knows", "My teacher [name-1] knows"),
    ("I told mr and mrs begum-ali", "I told mr and [name-1]"),
    ("They call me Sugar, all of them", "They call me [name-1], all of them"),
    ("a lad who goes by Spud hit me", "a lad who goes by [name-1] hit me"),
    ("housemates Fred, Ludo, Piers", "housemates [name-1], [name-2], [name-3]"),
    ("Sandra, her fella is a detective", "[name-1], her fella is a detective"),
    # Nothing hides in or behind a marker that was typed
    ("[phone 07700 900123]", "[phone [phone]]"),
    ("07700[phone]900123", "[phone]"),
    ("my name is [name] Jane Smith", "my name is [name] [name-1]"),
    ("my address is [address] 12 Acacia Avenue", "my address is [address] [address]"),
    ("[Jane@example.com]", "[[email]]"),
]


@pytest.mark.parametrize(("text", "kept"), GOES)
def test_what_leads_to_the_caller_goes(text: str, kept: str) -> None:
    assert sanitise(text).text == kept


STAYS = [
    # Officers
    "PC David C with collar number 1234",
    "PC 1234AB and PS 56",
    "PCs 1234 5678 9012",
    "Sgt 4412, 1234, 0987",
    "PC 123456 a tall man",
    "warrant number 123456",
    "the officer, David C, said",
    "I am PC Smith's wife",
    "PC Megan Hale, South Shields, came",
    "a sergeant from Grantham called Amos",
    "the pc on scene Jono Reay said",
    "My Federation rep Mick Cullen says no",
    "It's called SILENTMON",
    "my husband David C is a PC",
    "my brother Tom is a PC",
    "This is PC David C calling",
    "it is PC Smith here",
    "He said my name is PC David C",
    "Thanks to PC Smith",
    "as regards PC Smith",
    "I am scared of Sergeant Jones",
    "the Metropolitan Police and Hampshire Constabulary",
    "crime reference number 42/12345/20",
    "CAD 1234 of 12/03/2020",
    "custody number: AB/1234/20",
    "crime ref 12230045871",
    "the video 9c1e77ab-3f02-4d1b-9150-2043318aa7e6",
    "the police car AB12 CDE",
    "his car AB12 CDE",
    "my car was hit by the police car AB12 CDE",
    "a car AB12 CDE, driven by PC Hale",
    "PC Hale, 12/03/2008",
    "interview room 4",
    "policy number 4 of the force",
    # The event
    "on 12/03/2020 at 22:30",
    "on 2020-03-12 22:15",
    "14-6-21 at 8:05 AM",
    "between 01/03/2013-05/03/2013",
    "from 12/03/2020, 14/03/2020",
    "in 2017, 2018 and 2019",
    "2018 2019 2020",
    "March 3, 2013, 1500 block",
    "at 11:30:15",
    "ring me on 12/03/2020",
    "on 120320 a man",
    "on Acacia Avenue",
    "outside the Crown Court and Leeds Town Hall",
    "about ten at night, Seven Sisters Road",
    "his car GK68 TDV",
    "the polis on nights at Bell Street",
    "I want to say that Mark my words",
    "The officer is an ex of mine. Matt Hale. He hit me",
    "his car is papa oscar six nine, lima yankee tango, a police car",
    "we stayed unwritten. Sergeant Deborah Lane",
    "outside Ysbyty Bronglais and Neuadd Felinfach",
    "a nurse in Leeds",
    "PC Hale works for West Yorkshire Police",
    "I live in Leeds",
    "I live in fear and walk down the road",
    "I stay in the house",
    "my address is known to him",
    "district 9",
    # What somebody is, which matters in a complaint of hatred
    "I am Black and he",
    "I'm Muslim",
    "I'm British",
    "I'm Irish",
    "I am a nurse",
    "I'm HIV positive",
    "The complainant, QZ, 33/W/F, states",
    # And the rest
    "\u00a31,000,000",
    "0800 1111",
    "one two three four five six seven eight",
    "he hit me one, two, three times",
    "seven or eight officers",
    "meet @ 5pm",
    "a guard at Tesco. Police came",
    "my name was given to PC Smith",
    "my name is known to him",
    "they call me names",
    "my Instagram is private",
    "https://www.example.police.uk/complaints",
    "my brother received the incident report from 5-6-17",
    "call me a liar 12345",
    "",
]


@pytest.mark.parametrize("text", STAYS)
def test_what_identifies_officer_or_event_stays(text: str) -> None:
    sanitised = sanitise(text)
    assert (sanitised.text, sanitised.redactions) == (text, ())


WITH_SUBJECTS = [
    ("David Example hit me", "David Example hit me"),
    ("I am David C's wife", "I am David C's wife"),
    ("Dave hit me. So did Example.", "Dave hit me. So did Example."),
    ("it was reported by David Example\n", "it was reported by David Example\n"),
    ("his brother Tom Example saw it", "his brother [name-1] saw it"),
    ("Mrs Example saw it", "[name-1] saw it"),
]


@pytest.mark.parametrize(("text", "kept"), WITH_SUBJECTS)
def test_the_subjects_of_the_form_stay(text: str, kept: str) -> None:
    assert sanitise(text, subjects=["PC David Example"]).text == kept


def test_reasons_for_doubt_are_code_points_of_the_text_as_sent() -> None:
    text = "\U0001f6a8 My neighbour Tom Example saw it."
    (doubt,) = sanitise(text, subjects=["PC David Example"]).doubts
    assert (doubt.reason, text[doubt.start : doubt.end]) == ("name_in_form", "Tom Example")


def test_a_text_in_another_language_is_never_sure() -> None:
    text = "Dzień dobry, policjant nie chce mi pomóc, bo jest jego kolega i nie wiem co robić."
    assert [doubt.reason for doubt in sanitise(text).doubts] == ["other_language"]


def test_redactions_are_code_points_of_the_text_as_sent() -> None:
    text = "\U0001f6a8 I'm Jane, 07700 900123, \u0130 jane@example.com"
    redactions = sanitise(text).redactions
    assert [text[one.start : one.end] for one in redactions] == ["Jane", "07700 900123", "jane@example.com"]
    assert [one.kind for one in redactions] == ["name", "phone", "email"]


def test_a_trace_found_in_a_second_reading_is_reported_as_it_was_sent() -> None:
    text = "my name is [name] Jane, or 123 jane@example.com 456 jane@example.com 789"
    found = sanitise(text)
    assert found.text == "my name is [name] [name-1], or [number]"
    assert found.redactions == (
        Redaction(18, 22, "name", 1),
        Redaction(27, len(text), "number"),
    )


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("PC David C", "PC David C"),
        ("PC Smith, his mobile 07700 900123", "PC Smith, his mobile [phone]"),
        ("AB12 CDE", "AB12 CDE"),
        ("I'm Jane", "I'm Jane"),
        ("1234AB", "1234AB"),
        ("jane@example.com", "[email]"),
        ("SW1A 1AA", "[postcode]"),
    ],
)
def test_in_a_field_of_an_officer_names_and_registrations_stay(text: str, kept: str) -> None:
    assert sanitise(text, "officer").text == kept


@pytest.mark.parametrize(
    ("text", "kind", "kept"),
    [
        ("my kitchen, 12 Mill Road", "place", "my kitchen, [address]"),
        ("Mill Road, outside the Co-op", "place", "Mill Road, outside the Co-op"),
        ("14 Mill Road", "place", "[address] Mill Road"),
        ("near Winton", "place", "near Winton"),
        ("outside Janet Hale's house", "place", "outside [name-1]'s house"),
        (
            "roads policing, lives with me at 12 Mill Road",
            "unit",
            "roads policing, lives with me at [address]",
        ),
        ("Hale Street", "unit", "Hale Street"),
        ("the station where my sister Priya works", "unit", "the station where my sister [name-1] works"),
        ("complaint_id", "narrative", "complaint_id"),
    ],
)
def test_each_field_keeps_what_it_is_for(text: str, kind: TextKind, kept: str) -> None:
    assert sanitise(text, kind).text == kept


def test_of_a_place_the_district_stays() -> None:
    assert sanitise("High Street, SW1A 1AA", "place").text == "High Street, SW1A [postcode]"
    assert sanitise("SW1A [postcode]", "place").redactions == ()


@pytest.mark.parametrize("text", ["Statement2: he came again.", "Annex4b: the letter.", "Unit7: the car."])
def test_a_label_with_a_number_in_it_is_nobodys_name(text: str) -> None:
    assert sanitise(text).text == text
