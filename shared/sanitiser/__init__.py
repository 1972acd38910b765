"""The recognisers of the sanitiser, by what they recognise. `shared.sanitiser.text` applies them.

Each is a pure function from a `Reading` to spans. It never raises, takes time linear in the length of the
text (every repetition is bounded, or starts at a place where no other attempt has been), and prefers what
must stay to what it does not know: officers, their numbers, the place and the day of the event.
"""
