"""Every text of a complaint is sanitised, and nothing else of it is changed. All examples are invented."""

from services.intake.domain.complaints import sanitise_body, sanitise_complaint
from shared.contracts.complaint import ComplaintBody, SanitisedComplaint
from shared.contracts.complaint_events import RedactionCount

BODY = ComplaintBody.model_validate_json(
    b"""{"channel": "partner", "narrative": "I'm Jane, 07700 900123 or 020 7946 0018. PC David C did it.",
    "subjects": [{}, {"role": "witness", "name": "PC David C, 07700 900123", "rank": "PC a@example.com",
        "collar_number": "1234 / 07700900123", "force": "kent", "unit": "ask 07700900123",
        "description": "knows that I live at 12 Acacia Avenue", "vehicle": "AB12 CDE 07700900123",
        "seen_from": "2019-01-01", "seen_to": "2020-01-01"}],
    "allegations": [{"code": "hate.racist", "subjects": [1]}], "national_categories": ["F"],
    "incident": {"from": "2020-03-01", "to": "2020-03-02", "place": "SW1A 1AA", "force": "hampshire"},
    "risk": {"child_involved": true}, "wish": "ask_me_first", "could_be_guessed": "yes",
    "continues": "1234567890123456", "external_reference": "07700900123"}"""
)


def test_every_text_of_a_complaint_is_sanitised_but_a_partner_body_s_number() -> None:
    kept, counts = sanitise_complaint(BODY)
    assert kept.model_dump_json().count("07700") == 1
    assert kept.external_reference == "07700900123"
    officer = kept.subjects[1]
    assert officer.name == "PC David C, [phone]"
    assert officer.rank == "PC [email]"
    assert officer.collar_number is not None
    assert officer.collar_number.startswith("1234")
    assert officer.vehicle == "AB12 CDE [phone]"
    assert officer.description == "knows that I live at [address]"
    assert kept.narrative == "I'm [name-1], [phone] or [phone]. PC David C did it."
    assert counts == (
        RedactionCount(field="incident.place", kind="postcode", count=1),
        RedactionCount(field="narrative", kind="name", count=1),
        RedactionCount(field="narrative", kind="phone", count=2),
        *(
            RedactionCount(field=f"subjects.1.{field}", kind=kind, count=1)
            for field, kind in [
                ("collar_number", "phone"),
                ("description", "address"),
                ("name", "phone"),
                ("rank", "email"),
                ("unit", "phone"),
                ("vehicle", "phone"),
            ]
        ),
    )


def test_what_is_no_text_is_kept_and_the_receipt_is_not() -> None:
    texts = {"narrative", "subjects", "incident", "continues"}
    kept, _ = sanitise_complaint(BODY)
    sent = BODY.model_dump(mode="json")
    for name, value in kept.model_dump(mode="json").items():
        if name not in texts:
            assert value == sent[name], name
    assert kept.incident is not None
    assert BODY.incident is not None
    assert kept.incident.model_copy(update={"place": BODY.incident.place}).model_dump() == (
        BODY.incident.model_dump()
    )
    for after, before in zip(kept.subjects, BODY.subjects, strict=True):
        unchanged = {"role", "force", "seen_from", "seen_to"}
        assert after.model_dump(include=unchanged) == before.model_dump(include=unchanged)
    assert "1234567890123456" not in kept.model_dump_json()
    assert SanitisedComplaint.model_validate_json(kept.model_dump_json()) == kept


def test_a_person_has_one_number_in_all_fields_and_a_subject_stays_in_each() -> None:
    body = ComplaintBody.model_validate_json(
        b"""{"channel": "phone", "narrative": "Dave Ward hit me. My neighbour Priya Nair saw it.",
        "subjects": [{"name": "PC David Ward", "description": "Ward is tall; Priya Nair says he limps",
            "unit": "lives with my sister Ann at 12 Mill Road"}],
        "incident": {"place": "my kitchen, 12 Mill Road"}}"""
    )
    kept, _ = sanitise_complaint(body)
    assert kept.narrative == "Dave Ward hit me. My neighbour [name-1] saw it."
    assert kept.subjects[0].description == "Ward is tall; [name-1] says he limps"
    assert kept.subjects[0].unit == "lives with my sister [name-2] at [address]"
    assert kept.incident is not None
    assert kept.incident.place == "my kitchen, [address]"


def test_a_doubt_names_its_field() -> None:
    body = ComplaintBody.model_validate_json(
        b"""{"channel": "phone", "narrative": "He hit me.", "could_be_guessed": "yes",
        "subjects": [{"name": "PC David Ward", "description": "his brother Tom Ward is taller"}]}"""
    )
    doubts = [(field, doubt.reason) for field, doubt in sanitise_body(body).doubts]
    assert doubts == [("subjects.0.description", "name_in_form"), ("narrative", "could_be_guessed")]
