"""The bundled model loaded in this process: generation without frames or sockets, so that a test can look at the slots."""

from collections import defaultdict

from engine import BUNDLED_MODEL
from engine.config import LoadParams
from engine.events import ChoiceFinished, Failed, Finished, TextDelta
from engine.request import GenerationRequest, SamplingParams, TextPrompt
from engine.worker.loaded import LoadedWorker
from engine.worker.media import MediaReader, MediaReading
from engine.worker.media_cache import MediaCache

GREEDY = SamplingParams(temperature=0)


class Answer:
    """The events of one request, gathered."""

    def __init__(self, events):
        self.events = events
        self.text = "".join(e.text for e in events if isinstance(e, TextDelta) and not e.echo)
        self.finish_reasons = [e.finish_reason for e in events if isinstance(e, ChoiceFinished)]
        self.endings = [e for e in events if isinstance(e, Finished | Failed)]

    @property
    def usage(self):
        return self.endings[0].usage

    def texts(self):
        """The text of each answer."""
        texts = defaultdict(str)
        for event in self.events:
            if isinstance(event, TextDelta) and not event.echo:
                texts[event.index] += event.text
        return [texts[index] for index in sorted(texts)]


class InProcess:
    """Runs requests on a LoadedWorker, as the loop does."""

    def __init__(self, worker):
        self.worker = worker
        self.generator = worker.generator
        self._next_id = 0

    def tokens(self, prompt):
        """The token ids of a prompt without pictures, however long."""
        return self.worker.preparer.tokens(prompt, MediaReading(MediaReader(None, MediaCache(0)), ()))

    def submit(self, request):
        """Prepare and queue a request; its id and first events."""
        self._next_id += 1
        job = self.worker.preparer.generation(self._next_id, request)
        return self._next_id, list(self.generator.start(job))

    def run(self, *requests):
        """Answers to requests that are computed together."""
        events = defaultdict(list)
        ids = []
        for request in requests:
            request_id, first = self.submit(request)
            ids.append(request_id)
            events[request_id] += [event for _, event in first]
        while not self.generator.is_idle:
            for request_id, event in self.generator.step():
                events[request_id].append(event)
        self.generator.check_integrity()
        return [Answer(events[request_id]) for request_id in ids]


def request(text, **changes):
    """A greedy continuation of `text`, unless `changes` say otherwise."""
    values = {"model": "m", "prompt": TextPrompt(text=text), "sampling": GREEDY, "max_tokens": 12, **changes}
    return GenerationRequest(**values)


def load(path=BUNDLED_MODEL, **params):
    """A model with these load parameters."""
    return LoadedWorker(path, LoadParams(**{"ctx_size_tokens": 512, "parallel": 4, "threads": 1, **params}))
