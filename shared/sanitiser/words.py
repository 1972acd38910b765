"""Words that tell a name from what is none, in lower case."""

from typing import Final


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


TITLES: Final = words("mr mrs ms miss mx dr prof professor rev reverend sir lady lord dame madam")

RANKS: Final = words(
    """pc pcs dc dcs ps ds di dci det dsu dsupt dcs wpc wdc sgt sgts sergeant sergeants insp inspector
    inspectors supt superintendent constable constables officer officers detective detectives chief
    deputy assistant commander commissioner pcso pcsos special cid csi custody police policeman
    policewoman cop copper dco acc dcc cc trainee probationer lieutenant lt captain capt corporal cpl
    trooper sheriff agent"""
)
"""Who follows one of these is an officer, and stays."""

PARTICLES: Final = words(
    "van von de der den del della di da du la le el al bin ibn ben bint ap st mc mac o dos ter"
)

NOT_NAMES: Final = words(
    """a about above after again against ago all almost alone already also although always am an and
    another any anyone anything are around as asked asking at away back be became because been before
    began behind being below beside best better between both but by call called caller calling calls
    came can cannot complainant could day days did didn't do does doesn't doing don't done down due
    during each either else even ever every everyone everything few first five for formerly four from
    full get getting give given go going gone got had happened has have haven't having he hello help her
    here herself hi him himself his hit how however i i'd i'll i'm i've if important in inside instead
    into involved irrelevant is isn't it its it's itself just known last later least left let like
    living ma'am made make many may maybe me might mine more most much must my myself near need never
    new next nine no nobody none nor not nothing now of off often on once one only or other others our
    ours out outside over own partner people person phone phoned phoning please previously private quite
    rather really reporting ringing said same saw say saying says secret see seen seven several she
    should since sir six so some somebody someone something sometimes soon speaking spoke staff still
    stopped such sure take ten than thank thanks that that's the their theirs them themselves then there
    these they they're they've this those though three through till to today told tomorrow tonight too
    towards tried trying two under unknown unless until up upon us using very victim want wanted wants
    was wasn't we well went were what whatever when where which while who whom whose why wife husband
    will with withheld within without witness won't work worked working would writing wrong yes
    yesterday yet you your yours yourself confidential anonymous attached mud listed recorded changed
    spelled spelt spelling misspelled mentioned taken used withdrawn written removed released leaked
    shared passed monday tuesday wednesday thursday friday saturday sunday january february march april
    june july august september october november december christmas easter sorry afraid scared worried
    happy angry upset sad frightened terrified ashamed disgusted concerned ready aware certain disabled
    deaf blind pregnant autistic homeless married divorced single innocent guilty tired ill sick unable
    unsure unhappy shocked hurt injured traumatised stressed distressed born based employed retired
    serving former ex head senior junior manager nurse doctor teacher student driver owner tenant
    neighbour mother father mum dad parent sister brother son daughter friend colleague carer solicitor
    lawyer god lord sincerely faithfully truly respectfully regards wishes cheers advance kind hiv bme
    bame lgbt lgbtq nhs met iopc ipcc"""
)
"""Words that no name begins with or goes on with, though a sentence may write them large."""

DEMONYMS: Final = words(
    """puerto rican moorish afghan african afro albanian algerian american angolan arab arabic
    argentinian armenian asian australian austrian azerbaijani bahamian bahraini bangladeshi barbadian
    basque belarusian belgian bengali berber bolivian bosnian botswanan brazilian british bulgarian
    burmese cambodian cameroonian canadian caribbean catalan chechen chilean chinese colombian congolese
    cornish croatian cuban cypriot czech danish dominican dutch ecuadorian egyptian emirati english
    eritrean estonian ethiopian european fijian filipino finnish french gambian georgian german ghanaian
    greek grenadian guatemalan guinean gujarati guyanese gypsy haitian hispanic hungarian icelandic
    indian indonesian iranian iraqi irish israeli italian ivorian jamaican japanese jordanian kashmiri
    kazakh kenyan korean kosovan kurdish kuwaiti kyrgyz laotian latin latina latino latvian lebanese
    liberian libyan lithuanian macedonian malawian malaysian maltese mauritian mexican moldovan
    mongolian montenegrin moroccan mozambican namibian nepalese nepali nicaraguan nigerian northern
    norwegian omani pakistani palestinian panamanian paraguayan persian peruvian polish portuguese
    punjabi qatari roma romani romanian russian rwandan saudi scottish senegalese serbian sikh
    singaporean slovak slovakian slovenian somali spanish sudanese swedish swiss syrian taiwanese tajik
    tamil tanzanian thai tibetan togolese traveller trinidadian tunisian turkish turkmen ugandan
    ukrainian uruguayan uzbek venezuelan vietnamese welsh yemeni zambian zimbabwean black white brown
    mixed muslim islamic christian catholic protestant jewish jew hindu buddhist atheist orthodox pagan
    rastafarian gay lesbian bisexual queer trans transgender non-binary nonbinary straight roman
    jehovah's londoner scouse geordie brummie northerner southerner"""
)
"""After "I am" these tell what somebody is, not who; in a complaint of hatred they matter."""
