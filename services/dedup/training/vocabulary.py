"""The words of the training streams. They are written apart from the lexicon of normalising, which is to be
tried on words that it does not hold."""

from typing import Final

TAIL_BEGINNINGS: Final = (
    "Ald Ash Bar Beck Bent Birk Black Bram Brock Burn Cald Carl Chad Clay Cold Crom Dun East Ell Fair Farn Gar "
    "Gold Grim Hal Hart Hather Haw Hazel Hep Holm Horn Kel Kirk Lang Lin Lock Long Mel Mid Mor Nor Oak Old Pen "
    "Pick Rad Red Rook Row Sax Sed Shel Skel Stan Swin Thorn Til Tren Wad Wal Wat Wex Whit Win Wool Wyn Yar"
).split()
TAIL_ENDINGS: Final = (
    "bourne bridge brook burn bury by combe cott croft dale den fell field ford gate grave ham hurst land ley lock "
    "man mere moor ridge shaw stead stone stow thorpe ton tree wall water well wick wood worth yard"
).split()
ABROAD: Final = (
    "Kowalczyk Nowak Wójcik Adeyemi Okafor Mensah Chowdhury Siddiqui Nguyễn Ó'Dálaigh Müller Çelik Şahin Popescu "
    "Petrov Fernández Da\u00a0Silva Rossi Jørgensen Lindström Wiśniewski Oyelaran Achebe Rahman Kaur Dhillon"
).split(" ")
FORENAMES: Final = (
    "James John David Michael Paul Andrew Mark Stephen Robert Richard Chris Peter Simon Daniel Matthew Ian Kevin Tony "
    "Gary Martin Thomas Steven Philip Alan Neil Graham Jason Lee Colin Stuart Adam Ben Jonathan Craig Darren Nick "
    "Joseph William Sarah Susan Julie Karen Jane Helen Emma Claire Nicola Rachel Louise Laura Rebecca Joanne Jennifer "
    "Amanda Lisa Michelle Samantha Tracey Deborah Angela Alison Kate Elizabeth Charlotte Mohammed Ahmed Imran Priya "
    "Rajesh Callum Liam Ryan Dean Wayne Carl Barry Terry Trevor Malcolm Keith Derek Brian Gavin Ross Scott Lewis "
    "Jordan Kyle Sean Aidan Niamh Siân Rhys Gareth Owen Bronwen Fiona Morag Hamish Piotr Agnieszka Olu Chidi Femi "
    "Yasmin Aisha Zainab Tariq Hassan Lucy Chloe Megan Holly Gemma Kelly Stacey Kirsty Leanne Natalie Hannah Katie "
    "Luke Nathan Josh Jake Harry George Charlie Oliver Jack Alfie Max Toby Dominic Adrian Marcus Dale Clive Roger"
).split()
SHORT: Final = {
    "James": "Jim", "David": "Dave", "Michael": "Mick", "Andrew": "Andy", "Stephen": "Steve", "Robert": "Bob",
    "Richard": "Rick", "Peter": "Pete", "Daniel": "Dan", "Matthew": "Matt", "Kevin": "Kev", "Thomas": "Tom",
    "Steven": "Ste", "Philip": "Phil", "Jonathan": "Jon", "Joseph": "Joe", "William": "Bill", "Susan": "Sue",
    "Nicola": "Nicky", "Rebecca": "Becky", "Jennifer": "Jenny", "Amanda": "Mandy", "Samantha": "Sam",
    "Deborah": "Debs", "Elizabeth": "Liz", "Charlotte": "Lottie", "Mohammed": "Mo", "Malcolm": "Mal",
    "Rajesh": "Raj", "Oliver": "Ollie", "Gareth": "Gaz", "Martin": "Marty", "Simon": "Si",
}  # fmt: skip
TOWN_BEGINNINGS: Final = "Abbots Amber Brad Brid Chester Cor Dews Ever Fare Glen Hither Ivy King Lud Mar Nun Otter Pad Queen Rams Sel Tam Up Vale Wes Yel".split()
TOWN_ENDINGS: Final = "ford ham ton bury port mouth field wick stead borough minster pool ley church".split()
STREETS: Final = (
    "High Station Church Park Victoria Queen King Albert Mill London Chapel Green North South Bridge Castle "
    "Larch Hawthorn Juniper Sycamore Foundry Tannery Quarry Cooper Weaver Priory Abbey Beacon Harbour Canal Orchard "
    "Lavender Magnolia Wellington Nelson Cromwell Gladstone Clarence Salisbury Durham Arundel Pembroke Tudor Kestrel"
).split()
STREET_TYPES: Final = (
    "Road",
    "Street",
    "Lane",
    "Avenue",
    "Close",
    "Drive",
    "Way",
    "Terrace",
    "Crescent",
    "Square",
)
SHORT_TYPES: Final = {"Road": "Rd", "Street": "St", "Avenue": "Ave", "Close": "Cl", "Drive": "Dr"}
SPOTS: Final = "the Tesco|the bus station|the leisure centre|the Red Lion|a petrol station|the library|the retail park|Costa|the hospital|the mosque|a car park|the chip shop|the footbridge|the skate park|the railway arches|Wetherspoons".split(
    "|"
)
DUTIES: Final = {
    "response": ("response", "Response Team", "999 response", "response team B", "patrol"),
    "neighbourhood": ("neighbourhood", "Safer Neighbourhoods", "SNT", "neighbourhood team"),
    "cid": ("CID", "detectives", "criminal investigation", "investigations"),
    "roads": ("roads policing", "traffic", "RPU"),
    "custody": ("custody", "custody suite"),
    "firearms": ("firearms", "armed response", "ARV"),
    "dogs": ("dog unit", "dog section"),
    "public protection": ("PPU", "public protection", "domestic abuse unit", "safeguarding"),
    "tactical": ("tactical team", "public order", "TSG"),
    "desk": ("front desk", "enquiry office"),
}  # fmt: skip
WEIGHTS_OF_DUTIES: Final = (40, 20, 12, 8, 6, 3, 2, 4, 3, 2)
LOOKS: Final = {
    "height": (("tall", "very tall", "about 6ft 3"), ("short", "quite short", "small"), ("average height",)),
    "build": (("heavy build", "big", "overweight", "stocky"), ("slim", "thin", "skinny"), ("medium build",)),
    "hair": (
        ("bald", "shaved head", "no hair"), ("blond hair", "fair hair"), ("ginger", "red hair"),
        ("grey hair", "greying"), ("dark hair", "black hair"), ("brown hair",), ("ponytail", "long hair"),
    ),
    "face": (("beard", "full beard"), ("moustache",), ("glasses",), ("clean shaven",)),
    "age": (("in his twenties", "young"), ("in his forties", "middle-aged"), ("older", "in his fifties")),
    "accent": (
        ("Scottish accent", "Scots accent", "from Glasgow"), ("Irish accent",), ("Welsh accent",),
        ("Liverpool accent", "Scouse"), ("Geordie accent",), ("Brummie accent",), ("local accent",), ("posh voice",),
    ),
    "mark": (
        ("scar on his chin", "scarred chin"), ("tattoo on the forearm", "tattooed arm"), ("walks with a limp", "limps"),
        ("missing a fingertip",), ("gold tooth",), ("stammer", "stammers"), ("signet ring",), ("broken nose",),
        ("strong aftershave",), ("hearing aid",), ("birthmark on the neck",), ("lazy eye",),
    ),
}  # fmt: skip
NOT_ANSWERED: Final = {
    "name": "not known|Not known|unknown|N/A|n/a|didn't give it|two officers|male officer|police|PC|don't know|-|refused to say|officer|can't remember|none given|UNKNOWN".split("|"),
    "unit": "unknown|police|not sure|N/A|local police|response|police car".split("|"),
    "collar_number": "not seen|unknown|N/A|couldn't see|0000|-".split("|"),
    "description": "not sure|none|police uniform|in uniform|N/A".split("|"),
    "place": "not sure|unknown|in the street|at home|N/A".split("|"),
}  # fmt: skip
STOCK: Final = (
    "He was very rude and would not listen to me.|I was treated like a criminal and nobody explained why.|"
    "The officer refused to give a name or a number.|I have never been spoken to like that in my life.|"
    "I want somebody to look into this because it keeps happening.|They laughed at me and walked away.|"
    "I asked for a supervisor and was told to go home.|He said that nobody would believe me anyway.|"
    "I am afraid to make a complaint at the station.|She shouted at everybody and threatened to arrest us.|"
    "They came to my home late in the evening.|He sent me messages after he had taken my statement.|"
    "I reported it and never heard anything back.|The officer pushed me although I was standing still.|"
    "My phone was taken and I did not get it back.|He kept asking personal questions.|They searched the car and found nothing.|"
    "He looked me up on the computer, I am sure of it.|It was racist, plain and simple.|The officer was off duty and drunk."
).split("|")
DETAILS: Final = (
    "lamppost trolley umbrella kebab pushchair crutches trombone greyhound skateboard wheelbarrow takeaway locksmith "
    "paramedic ambulance lollipop firework scaffolding minibus caravan allotment canteen turnstile raincoat handbag "
    "rucksack headphones laptop inhaler insulin wheelchair passport envelope necklace bracelet scooter moped tractor "
    "bonfire christening funeral wedding barbecue carnival marathon derby protest picket lorry skip portaloo marquee "
    "kitten parrot spaniel alsatian ferret guitar drumkit karaoke bouncer taxi tram ferry barge towpath viaduct "
    "underpass stairwell laundrette barbershop nightclub casino bakery butcher florist greengrocer pharmacy dentist "
    "nursery playground sandpit goalpost cricket snooker darts bingo raffle lottery cheque banknote coins receipt "
    "torch baton pepperspray taser handcuffs bodycam radio notebook clipboard whistle visor helmet stabvest gloves "
    "vomit bruise nosebleed concussion stitches wrist ankle elbow collarbone eyebrow windscreen wingmirror tyre "
    "numberplate indicator bonnet hubcap roundabout layby cone diversion floodlight hosepipe ladder chainsaw drill"
).split()
SENTENCES: Final = (
    "There was a {} right beside us.|I remember the {} because it was knocked over.|He kicked the {} out of the way.|"
    "It began because of a {}.|Somebody filmed it from behind the {}.|She had a {} in her hand.|He broke my {}.|"
    "It happened just by the {}.|They took the {} away.|A man with a {} saw all of it.|The {} was still there afterwards.|"
    "He said the {} was stolen.|My friend dropped the {}."
).split("|")
