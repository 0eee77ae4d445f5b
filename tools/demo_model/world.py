"""Owns the little world that the demo model knows: its facts and its words.

Plain lists, written for this project. This module knows neither how questions are phrased nor how samples are built.
"""

from __future__ import annotations


def _pairs(text: str) -> dict[str, str]:
    """Read `key=value` entries separated by semicolons."""
    return dict(entry.strip().split("=") for entry in text.split(";"))


CAPITALS = _pairs(
    "France=Paris; Germany=Berlin; Italy=Rome; Spain=Madrid; Portugal=Lisbon; England=London; Ireland=Dublin;"
    "Austria=Vienna; Poland=Warsaw; Greece=Athens; Norway=Oslo; Sweden=Stockholm; Finland=Helsinki; Denmark=Copenhagen;"
    "Belgium=Brussels; Hungary=Budapest; Turkey=Ankara; Egypt=Cairo; Kenya=Nairobi; Japan=Tokyo; China=Beijing;"
    "India=Delhi; Russia=Moscow; Canada=Ottawa; Mexico=Mexico City; Cuba=Havana; Peru=Lima; Chile=Santiago;"
    "Brazil=Brasilia; Australia=Canberra; Iceland=Reykjavik; Switzerland=Bern"
)
COLOURS = _pairs(
    "the sky=blue; grass=green; snow=white; blood=red; a banana=yellow; coal=black; a carrot=orange; chocolate=brown;"
    "a lemon=yellow; a tomato=red; an elephant=grey; a plum=purple; a leaf=green; milk=white; a frog=green; a pig=pink"
)
SOUNDS = _pairs(
    "dog=woof; cat=meow; cow=moo; duck=quack; sheep=baa; pig=oink; horse=neigh; lion=roar; bee=buzz; owl=hoot;"
    "snake=hiss; frog=ribbit; mouse=squeak; wolf=howl; chicken=cluck; crow=caw"
)
OPPOSITES = _pairs(
    "hot=cold; cold=hot; big=small; small=big; up=down; down=up; day=night; night=day; fast=slow; slow=fast; old=young;"
    "young=old; happy=sad; sad=happy; open=closed; closed=open; left=right; right=left; black=white; white=black;"
    "full=empty; empty=full; light=dark; dark=light; hard=soft; soft=hard; wet=dry; dry=wet; rich=poor; poor=rich;"
    "high=low; low=high; early=late; late=early; good=bad; bad=good"
)
PLURALS = _pairs(
    "cat=cats; dog=dogs; mouse=mice; child=children; man=men; woman=women; foot=feet; tooth=teeth; goose=geese;"
    "apple=apples; box=boxes; baby=babies; leaf=leaves; book=books; house=houses; city=cities"
)
COUNTS = _pairs(
    "days are in a week=7; months are in a year=12; hours are in a day=24; minutes are in an hour=60;"
    "seconds are in a minute=60; legs does a dog have=4; legs does a spider have=8; legs does a bird have=2;"
    "legs does an ant have=6; wheels does a car have=4; wheels does a bicycle have=2; letters are in the alphabet=26;"
    "sides does a triangle have=3; sides does a square have=4; fingers are on one hand=5; eyes does a cat have=2"
)
COUNT_ANSWERS = {
    question: f"{amount} {question.split()[0]}" for question, amount in COUNTS.items()
}

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
SEASONS = "spring summer autumn winter".split()
PLANETS = "Mercury Venus Earth Mars Jupiter Saturn Uranus Neptune".split()
NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
).split()

CATEGORIES = {
    "fruits": "apple banana cherry pear plum grape lemon orange".split(),
    "colours": "red blue green yellow black white orange purple".split(),
    "animals": "dog cat horse cow bird fish lion tiger".split(),
    "vegetables": "carrot potato onion tomato pepper bean pea cabbage".split(),
    "countries": "France Italy Spain Japan India Brazil Canada Egypt".split(),
    "cities": "Paris Rome London Tokyo Berlin Madrid Cairo Lima".split(),
    "drinks": "water tea coffee milk juice lemonade cocoa soda".split(),
    "tools": "hammer saw drill knife spade rake brush ladder".split(),
    "planets": PLANETS,
    "seasons": SEASONS,
}

PEOPLE = (
    "Ada Alan Alice Amir Anna Ben Bob Carla Carol Chen Clara Dan David Diego Ella Emma Eric Eva Finn Frank Grace Hana "
    "Hugo Ian Ida Ines Ivan Jack James Jane John Julia Kai Karl Kate Kim Lara Leo Lena Lily Lisa Luca Lucy Maria Mark "
    "Mary Max Maya Mia Mike Mina Nina Noah Nora Olga Oscar Otto Paul Peter Petra Raj Rita Rosa Ruth Sam Sara Sofia Tom "
    "Vera Victor Yuki Zoe"
).split()
CITIES = sorted(
    set(CAPITALS.values())
    | set(
        "Boston Chicago Seattle Denver Toronto Sydney Milan Venice Lyon Munich Hamburg Zurich Geneva Prague Krakow "
        "Porto Seville Osaka Kyoto Seoul Mumbai Dubai Singapore Bangkok Manila Hanoi Lagos Casablanca Bogota Quito Miami "
        "Dallas Houston Austin Phoenix Detroit Atlanta Glasgow Bristol Naples Turin Florence Nice Basel Leipzig".split()
    )
    | {"San Francisco", "New York", "Los Angeles", "Cape Town", "Buenos Aires", "Hong Kong"}
)
REGIONS = "CA NY TX UK US France Italy Japan Germany Spain India Canada Texas Colombia Ontario".split()

NOUNS = (
    "apple arrow bag ball banana basket bear bed bell bench bird board boat book bottle box bread bridge brush bus "
    "butter button cake camera candle car card carrot castle cat chair cheese church circle clock cloud coat coffee "
    "cookie corn cup desk dog door dragon dream drum duck eagle ear egg engine farm feather field fire fish flag flower "
    "forest fork fox frog garden gate ghost gift glass glove goat gold grape grass guitar hammer hat heart hill honey "
    "horse house island jacket jar key kettle king kite knife ladder lake lamp leaf lemon letter lion map market mirror "
    "money monkey moon morning mountain mouse mouth music nail needle nest net night nose nut ocean onion orange owl "
    "page paint palace paper park pear pen pencil pepper phone piano picture pillow pilot pizza planet plate pocket "
    "pond potato prince queen rabbit radio rain ring river road robot rocket roof room rope rose salt sand school sea "
    "seed shadow ship shirt shoe silver snow soap song soup spider spoon star station stone storm story street sugar "
    "sun table tail tea temple tent ticket tiger toast tower toy train tree truck turtle umbrella valley violin wagon "
    "wall watch water whale wheel wind window wing winter wolf wood world yard zebra"
).split()
ADJECTIVES = (
    "big small red blue green old new happy sad quick slow warm cold bright dark soft hard sweet sour loud quiet tall "
    "short round flat clean dirty brave kind wild calm funny fresh golden silver heavy light long narrow proud rich"
).split()
VERBS = (
    "add build buy call carry change check choose clean close collect cook copy count create cut delete draw drive eat "
    "fetch fill find fix follow get give grow help hide hold join jump keep learn leave lift list load lock look make "
    "measure mix move open order pack paint pick plan plant play print pull push put read remove rent repair reserve "
    "ring run save search sell send set share show sing sleep start stop store swim take teach tell track turn update "
    "use visit wait walk wash watch win work write"
).split()
JOBS = "pirate teacher doctor pilot cook farmer poet robot wizard guide librarian sailor painter singer detective".split()
TITLES = "Captain Doctor Professor Chef Sir Lady Queen King Agent Master".split()
TOPICS = (
    "history physics politics football quantum mechanics; medicine; philosophy; chess openings; the stock market; taxes;"
    "black holes; ancient Rome; the law; programming in Rust; machine learning; biology; opera; evolution; economics;"
    "climate; volcanoes; poetry; gravity; dinosaurs; the internet; world peace; relativity; photosynthesis"
).split(";")

_ONSETS = "b bl br c ch cl cr d dr f fl fr g gl gr h j k kl l m n p pl pr qu r s sc sh sk sl sn sp st t th tr v w x y z".split()
_VOWELS = "a e i o u a e i o ai ea ee oo ou ia".split()
_ENDINGS = " n r l s t x m nd rt lo ra na to ck ng".split(" ")
SYLLABLE_PARTS = (_ONSETS, _VOWELS, _ENDINGS)

DEMO_NAME = "Trueline's demo model"
IDENTITY = f"I am {DEMO_NAME}, a very small language model that runs inside the Trueline server."
UNKNOWN = "I am only a small demo model, so I do not know that."
