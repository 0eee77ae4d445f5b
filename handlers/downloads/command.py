"""What `trueline download` does and says. Must not know options, nor exit codes."""

import sys
from collections.abc import Callable
from pathlib import Path

from handlers.downloads.choice import Wish, wish_of
from handlers.downloads.repository import DownloadError

__all__ = ["DownloadError", "fetch"]


def fetch(
    repository: str,
    wanted_type: str | None,
    directory: Path,
    say: Callable[[str], None],
    *,
    file: str | None,
    revision: str | None,
    projector: bool | None,
) -> None:
    """Fetch a model, with a line for each thing that was decided. Raises DownloadError."""
    name, wanted_type = wish_of(repository, wanted_type)
    if wanted_type and file:
        raise DownloadError(f"{repository}: --file names the model already; leave the type {wanted_type} out")
    _require_library()
    from handlers.downloads import hub  # noqa: PLC0415 - the library may be missing
    from handlers.downloads.download import plan_download, run_download  # noqa: PLC0415 - this needs it too

    if not sys.stderr.isatty():
        hub.be_quiet()
    download = plan_download(Wish(name, revision, wanted_type, file, projector), directory)
    choice = download.choice
    if choice.recognition is not None:
        say(f"family     {choice.recognition.family.title}: {choice.recognition.reason}")
    say(f"type       {choice.model.label}, {choice.reason}")
    paths = ", ".join(placed.file.path for placed in reversed(download.placed))
    say(f"from       {name} at {download.repository.commit[:12]}: {paths} ({download.size_bytes / 1e6:,.1f} MB)")
    model = run_download(download)
    say(f"to         {model.path}: {model.metadata.quantization}, {model.size_bytes / 1e6:,.1f} MB")
    if download.projector is not None:
        say(f"projector  {download.projector}")


def _require_library() -> None:
    try:
        import huggingface_hub  # noqa: F401, PLC0415 - an optional part of the installation, and slow to import
    except ModuleNotFoundError as error:
        if error.name != "huggingface_hub":
            raise
        raise DownloadError(
            "downloads need huggingface_hub; install it with: pip install 'trueline[download]'"
        ) from None
