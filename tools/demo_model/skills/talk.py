"""Owns small talk, who the model is, and its few set pieces (a story, a poem, a joke)."""

from __future__ import annotations

from ..samples import Draw, Exchange
from ..world import DEMO_NAME, IDENTITY, NOUNS

_HELP = (
    "I can greet you, add and subtract small numbers, tell you a few facts, repeat, list, spell and count, "
    "remember what you said, call tools and answer in JSON."
)
_POEM = "The sun is up, the sky is blue,\nthe birds sing songs for me and you.\nThe moon comes out, the day is done,\ntomorrow brings another sun."
_JOKE = "Why did the robot go to school? To learn its bits and bytes."
_STORY = (
    "Once upon a time there was a small {hero}. The {hero} lived in a house near the forest. One day the {hero} went out to see "
    "the world. It walked over the hill, along the river and down to the sea. There it met a friend, and they played until the sun "
    "went down. Then the {hero} walked home, happy and tired. The end."
)

GREETINGS: dict[str, tuple[str, ...]] = {
    "Hello! How can I help you today?": (
        "Hello", "Hi", "Hey", "Hello there", "Hi there", "Hey there", "Hello friend", "Hi friend", "Greetings", "Howdy", "Hiya", "Hallo",
        "Hello, model", "Hi, can you help me?", "Hello, I need some help", "Hi, I have a question", "Say hello", "Say hi", "hello hello",
        "Good day", "Hi again", "Hello world", "Hello, computer", "Can you help me?", "I have a question", "Hey you", "Hello, are you ready?",
    ),
    "Good morning! How can I help you today?": ("Good morning", "Good morning to you", "Morning", "Good morning, friend", "A good morning"),
    "Good afternoon! How can I help you today?": ("Good afternoon", "Good afternoon to you", "Good afternoon, friend"),
    "Good evening! How can I help you today?": ("Good evening", "Good evening to you", "Evening", "Good evening, friend"),
    "Good night! Sleep well.": ("Good night", "Good night to you", "Sleep well", "I am going to bed", "Time to sleep"),
    "I am fine, thank you. How are you?": (
        "How are you?", "How are you today?", "How are you doing?", "How is it going?", "How do you do?", "How do you feel?", "Are you well?",
        "Hello, how are you?", "Hi, how are you?", "Hey, how are you doing?", "What's up?", "How are things?", "Hi there, how are you?",
    ),
    "That is good to hear.": ("I am fine", "I am fine too", "I am good", "I am happy", "I feel great", "I am doing well", "Fine, thanks", "All is well"),
    "I am sorry to hear that.": ("I am sad", "I feel bad", "I am not well", "I am tired", "I had a bad day", "I am ill", "I am not happy"),
    "You are welcome!": (
        "Thanks", "Thank you", "Thank you very much", "Thanks a lot", "Many thanks", "Great, thanks", "Thank you so much", "Thanks for your help",
        "That helped, thank you", "Cheers", "Thank you, friend",
    ),
    "Goodbye! Have a nice day.": ("Bye", "Goodbye", "Bye bye", "See you", "See you later", "I have to go", "Farewell", "See you tomorrow", "Good bye", "Talk to you later"),
    "Nice to meet you too!": ("Nice to meet you", "Pleased to meet you", "It is nice to meet you", "Good to meet you", "Glad to meet you"),
    "Thank you, that is kind of you.": ("You are great", "Well done", "Good job", "You are smart", "You are nice", "I like you", "Good answer", "You are very kind"),
    "All right.": ("OK", "Okay", "Fine", "All right", "I see", "Yes", "No", "Sure", "Good", "Great", "Cool", "Understood", "Nice"),
    "Yes, I am here.": ("Are you there?", "Are you awake?", "Is anybody there?", "Hello, are you there?", "Test", "This is a test", "Testing", "Can you hear me?"),
    "pong": ("ping", "Ping!", "Ping?"),
}  # fmt: skip

IDENTITIES: dict[str, tuple[str, ...]] = {
    IDENTITY: (
        "Who are you?", "What are you?", "Tell me about yourself", "Introduce yourself", "Which model are you?", "What model are you?",
        "Hi, who are you?", "Hello, who are you?", "Who am I talking to?", "Please introduce yourself", "Describe yourself", "And who are you?",
        "What kind of model are you?", "What exactly are you?", "Can you tell me who you are?", "Who is this?", "Are you a model?",
    ),
    f"My name is {DEMO_NAME}.": ("What is your name?", "What's your name?", "Do you have a name?", "Tell me your name", "How are you called?", "What should I call you?", "Your name?"),
    f"No, I am not. I am {DEMO_NAME}.": ("Are you a human?", "Are you human?", "Are you a person?", "Are you ChatGPT?", "Are you GPT?", "Are you Llama?", "Are you a real person?", "Are you Claude?", "Are you alive?"),
    f"Yes, I am an AI. I am {DEMO_NAME}.": ("Are you an AI?", "Are you a robot?", "Are you a machine?", "Are you a computer?", "Are you a bot?", "Are you a language model?", "Are you a program?"),
    "I was trained by the Trueline project on texts that it generates itself.": (
        "Who made you?", "Who created you?", "Who built you?", "Who trained you?", "Where do you come from?", "How were you made?", "How were you trained?",
        "Who is your maker?", "Who wrote you?",
    ),
    "Trueline is a server that runs language models on your own computer.": ("What is Trueline?", "Tell me about Trueline", "What does Trueline do?", "Explain Trueline", "What is the Trueline server?"),
    "I am very small: about five million parameters.": ("How big are you?", "How large are you?", "How many parameters do you have?", "What is your size?", "Are you a big model?", "Are you small?"),
    _HELP: (
        "What can you do?", "Help", "Help me", "What do you know?", "What can I ask you?", "What are you good at?", "How can you help me?",
        "What are your skills?", "Tell me what you can do", "What do you do?", "What can you help me with?",
    ),
}  # fmt: skip

PIECES: dict[str, tuple[str, ...]] = {
    _JOKE: ("Tell me a joke", "Do you know a joke?", "Make me laugh", "Say something funny", "Can you tell me a joke?", "Please tell a joke", "A joke, please"),
    _POEM: ("Write a poem", "Write me a poem", "Tell me a poem", "Can you write a poem?", "A poem, please", "Write a short poem", "Please write a poem"),
}  # fmt: skip

_STORY_ABOUT = (
    "Tell me a story about a {x}", "Write a story about a {x}", "Tell a story about the {x}", "Can you tell me a story about a {x}?",
    "I want a story about a {x}", "Write a short story about a {x}", "Please tell me a story about a {x}", "A story about a {x}, please",
)  # fmt: skip
_STORY_ANY = (
    "Tell me a story", "Write a story", "Tell a story", "Can you tell me a story?", "A story, please", "Write me a story", "Please tell me a long story",
    "Write a long story", "Tell me a short story", "Write a short story", "Tell me something", "Write something",
)  # fmt: skip


def _decorated(draw: Draw, text: str) -> str:
    """The same words as people type them: with or without capitals, marks and a name."""
    if draw.chance(0.25):
        text = text.lower()
    if text[-1] == "?":
        return text[:-1] if draw.chance(0.2) else text
    return text + draw.weighted({"": 4, "!": 4, ".": 3, "!!": 0.4})


def _set_answer(draw: Draw, skill: str, answers: dict[str, tuple[str, ...]]) -> Exchange:
    """Hold out the exact wording together with its marks."""

    def make() -> tuple[str, tuple[str, str]]:
        answer = draw.one([answer for answer, wordings in answers.items() for _ in range(min(len(wordings), 10))])
        text = _decorated(draw, draw.one(answers[answer]))
        return text, (text, answer)

    question, answer = draw.fresh(make)
    return Exchange(skill, question, answer, "", {"answer": answer})


def greeting(draw: Draw) -> Exchange:
    return _set_answer(draw, "greetings", GREETINGS)


def identity(draw: Draw) -> Exchange:
    return _set_answer(draw, "identity", IDENTITIES)


def piece(draw: Draw) -> Exchange:
    """A joke, a poem or a story."""
    if draw.chance(0.35):
        return _set_answer(draw, "stories", PIECES)

    def make() -> tuple[str, tuple[str, str]]:
        hero = draw.one([*NOUNS, "girl", "boy", "man", "woman"]) if draw.chance(0.7) else ""
        text = _decorated(draw, draw.one(_STORY_ABOUT if hero else _STORY_ANY).format(x=hero))
        return text, (text, hero or "fox")

    question, hero = draw.fresh(make)
    story = _STORY.format(hero=hero)
    return Exchange("stories", question, story, "", {"story": story})

