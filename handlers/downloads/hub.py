"""A model hub, asked with huggingface_hub: what a repository holds, and the content of its files.

The library's own settings hold: HF_ENDPOINT is the hub, HF_TOKEN the account. Owns how the hub's refusals are said. Must not know which
files are wanted, nor where they go.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import httpx2
from huggingface_hub import HfApi, constants, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import http_get
from huggingface_hub.hf_api import RepoSibling
from huggingface_hub.utils import build_hf_headers, disable_progress_bars
from huggingface_hub.utils import logging as hub_logging

from handlers.downloads.repository import DownloadError, Repository, RepositoryFile

_LIBRARY = "trueline"
_REFUSALS = (401, 403)


def be_quiet() -> None:
    """Show no progress, and say nothing of attempts that fail while others follow."""
    disable_progress_bars()
    hub_logging.set_verbosity(logging.ERROR)


def look_up(name: str, revision: str | None) -> Repository:
    """What a repository holds at a branch, tag or commit; None: its main branch. Raises DownloadError."""
    with _said(name, revision):
        found = _api().model_info(name, revision=revision, files_metadata=True, timeout=constants.HF_HUB_ETAG_TIMEOUT)
    files = tuple(_file(sibling) for sibling in found.siblings or ())
    return Repository(name, found.sha or revision or constants.DEFAULT_REVISION, files)


def architecture_of(repository: Repository) -> str:
    """What the hub read in the repository's GGUF files; empty where it can't tell. Raises DownloadError without a connection."""
    with _said(repository.name, repository.commit):
        try:
            found = _api().model_info(
                repository.name,
                revision=repository.commit,
                expand=["gguf"],
                timeout=constants.HF_HUB_ETAG_TIMEOUT,
            )
        except HfHubHTTPError:  # not every hub can expand a description
            return ""
    architecture = (found.gguf or {}).get("architecture")
    return architecture if isinstance(architecture, str) else ""


def fetch(repository: Repository, file: RepositoryFile, target: BinaryIO) -> None:
    """Append what `target` lacks of the file. What came stays there when this fails. Raises DownloadError, and OSError of the disk."""
    url = hf_hub_url(repository.name, file.path, revision=repository.commit)
    with _said(repository.name, repository.commit, file.path):
        http_get(
            url,
            target,
            resume_size=target.tell(),
            headers=build_hf_headers(library_name=_LIBRARY),
            expected_size=file.size_bytes,
            displayed_filename=file.name,
        )


def _api() -> HfApi:
    return HfApi(library_name=_LIBRARY)


def _file(sibling: RepoSibling) -> RepositoryFile:
    size_bytes = (sibling.lfs.size if sibling.lfs else sibling.size) or 0
    digest = (sibling.lfs.sha256 if sibling.lfs else sibling.blob_id) or ""
    return RepositoryFile(sibling.rfilename, size_bytes, digest, is_sha256=sibling.lfs is not None)


@contextmanager
def _said(name: str, revision: str | None, path: str | None = None) -> Iterator[None]:
    """Have what the library raises said in a line."""
    what = f"{name}/{path}" if path else name
    try:
        yield
    except HfHubHTTPError as error:
        raise DownloadError(f"{what}: {_refusal(error, revision)}") from error
    except HFValidationError as error:
        raise DownloadError(f"{what}: {error}") from error
    except OfflineModeIsEnabled as error:
        raise DownloadError(f"{what}: HF_HUB_OFFLINE is set; unset it to download") from error
    except httpx2.HTTPError as error:
        reason = f"no connection to {constants.ENDPOINT} ({str(error) or type(error).__name__})"
        raise DownloadError(
            f"{what}: {reason}; check the network and HF_ENDPOINT, and run this again to go on"
        ) from error
    except OSError as error:
        if error.errno is not None:  # it is the disk's
            raise
        raise DownloadError(f"{what}: it did not come whole ({error}); run this again") from error
    except ValueError as error:  # so the library says that a file is larger than hubs serve in one piece
        raise DownloadError(f"{what}: {error}") from error


def _refusal(error: HfHubHTTPError, revision: str | None) -> str:
    status = error.response.status_code
    match error:
        case GatedRepoError():
            return (
                f"its owner has to grant access (HTTP {status}): ask for it on the repository's page, "
                "and set HF_TOKEN to a token of your account"
            )
        case RepositoryNotFoundError():
            return "there is no such repository, or it is private: check the name, or set HF_TOKEN to a token that may read it"
        case RevisionNotFoundError():
            return f"it has no branch, tag or commit {revision}; name another with --revision"
    if status in _REFUSALS:
        return f"the hub refuses it (HTTP {status}): check that HF_TOKEN is a token that may read it"
    said = " ".join((error.server_message or "").split())
    return f"the hub answers HTTP {status}{f' ({said})' if said else ''}; try again later"
