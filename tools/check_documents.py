"""`python -m tools.check_documents`: fails when a document in openapi/ is not valid OpenAPI 3.1.

Owns the check against the specification's own schema. Must not know what the documents describe.
"""

import sys
from pathlib import Path

import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

OPENAPI_DIR = Path(__file__).resolve().parent.parent / "openapi"
DOCUMENTS = ("openai.yaml", "ollama.yaml", "server.yaml")


def faults(path: Path) -> list[str]:
    """Each violation of the OpenAPI 3.1 schema, with its place in the document."""
    document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    errors = OpenAPIV31SpecValidator(document).iter_errors()
    return [f"{path.name}: {'/'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]


def main() -> int:
    """Print every violation; the exit code says whether there was one."""
    found = [fault for name in DOCUMENTS for fault in faults(OPENAPI_DIR / name)]
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
