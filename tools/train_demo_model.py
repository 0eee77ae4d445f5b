"""Train the bundled demo model from the corpus that this project generates, and write it as a GGUF file.

    python -m tools.train_demo_model --checkpoint FILE [--steps N] [--output FILE.gguf]

Needs `torch`, `tokenizers`, `gguf` and `jinja2`, for training only. A run stops and goes on: the checkpoint holds everything.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from tools.demo_model.batches import Batches
from tools.demo_model.corpus import training_chunk
from tools.demo_model.encoding import Encoder
from tools.demo_model.export import write_model
from tools.demo_model.network import Network, Rows, Shape
from tools.demo_model.rendering import training_text
from tools.demo_model.tokenizer import Vocabulary, learn
from tools.demo_model.training import Run

BUNDLED = Path(__file__).parent.parent / "engine" / "bundled" / "trueline-demo.gguf"
USUAL: Rows = (
    (6, 24), (5, 32), (6, 44), (7, 60), (8, 80), (7, 108), (6, 144), (6, 192), (5, 256), (3, 344), (2, 464), (1, 640),
)  # fmt: skip
LONG: Rows = ((4, 108), (4, 192), (3, 256), (2, 344), (2, 464), (1, 640), (1, 1024), (1, 1536))
SHAPES = (USUAL, USUAL, USUAL, LONG)
"""The steps' rows, in turn: in about the proportion in which the corpus has their lengths, with little padding."""
VOCABULARY_SAMPLES = 12_000


def vocabulary_beside(checkpoint: Path, seed: int) -> Vocabulary:
    """The vocabulary stored beside the checkpoint, learned when it is not there yet."""
    path = checkpoint.with_suffix(".vocabulary.json")
    if not path.exists():
        learn(training_text(sample) for sample in training_chunk(seed, -1, VOCABULARY_SAMPLES)).save(path)
    return Vocabulary.load(path)


def main() -> None:
    """Train, or go on training, and write the model at every report."""
    options = _options()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    vocabulary = vocabulary_beside(options.checkpoint, options.seed)
    network = Network(Shape(len(vocabulary.tokens)))
    print(
        f"{sum(weights.numel() for weights in network.parameters()) / 1e6:.2f}M parameters, {len(vocabulary.tokens)} tokens",
        flush=True,
    )
    run = Run(network, Batches(Encoder(vocabulary), options.seed, SHAPES), options.checkpoint, options.threads)
    for _ in run.train(options.steps):
        write_model(options.output, network, vocabulary)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, help="where the run is kept, outside the tree")
    parser.add_argument("--output", type=Path, default=BUNDLED)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
