"""What is derived from the documents is up to date, and says in Python what the documents say in JSON Schema."""

import subprocess
import sys

import pytest

import openapi
from tools import generate
from tools.derived.typed_bodies import typed_bodies


def derived(schemas, root="Body"):
    """The module derived from a document with one operation whose body is `root`."""
    content = {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{root}"}}}}
    document = {"paths": {"/": {"post": {"requestBody": content, "responses": {}}}}, "components": {"schemas": schemas}}
    return typed_bodies("test API", document)


def body(properties, **more):
    return {"Body": {"type": "object", "description": "A body.", "properties": properties, **more}}


def test_the_derived_files_are_up_to_date():
    """`make generate` would change nothing."""
    assert generate.stale_files(generate.derived_files()) == []


def test_a_stale_file_fails_the_check_and_is_written_without_it(tmp_path, monkeypatch, capsys):
    """`--check` only says so; without it the file is renewed."""
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "derived_files", lambda: {"some/file.py": "text\n"})
    assert generate.main(["--check"]) == 1
    assert not (tmp_path / "some").exists()
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    assert "some/file.py: stale" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("schema", "annotation"),
    [
        ({"type": "string"}, "str"),
        ({"type": ["integer", "null"]}, "int | None"),
        ({"type": "number"}, "float"),
        ({"type": "string", "enum": ["a", "b"]}, 'Literal["a", "b"]'),
        ({"type": ["string", "null"], "enum": ["a", None]}, 'Literal["a"] | None'),
        ({"const": "x"}, 'Literal["x"]'),
        ({"type": "array", "items": {"type": "boolean"}}, "list[bool]"),
        ({"type": "object"}, "dict[str, Any]"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "dict[str, int]"),
        ({"oneOf": [{"type": "null"}, {"type": "string"}, {"type": "string"}]}, "str | None"),
        ({}, "Any"),
    ],
)
def test_a_schema_becomes_the_type_of_its_values(schema, annotation):
    """Every kind of schema has a type that strict mypy can check."""
    assert f"    field: NotRequired[{annotation}]" in derived(body({"field": schema}))
    assert f"    field: {annotation}\n" in derived(body({"field": schema}, required=["field"]))


def test_objects_inside_become_classes_of_their_own():
    """The class is named by where it stands; the items of a list in the singular."""
    inner = {"type": "object", "description": "One choice.", "properties": {"index": {"type": "integer"}}}
    source = derived(body({"choices": {"type": "array", "items": inner}}))
    assert "choices: NotRequired[list[BodyChoice]]" in source
    assert 'class BodyChoice(TypedDict):\n    """One choice."""' in source


def test_a_union_beside_properties_only_says_which_there_must_be():
    """Then none of them is required, and the class is written as if the union were not there."""
    either = body({"model": {"type": "string"}, "name": {"type": "string"}})["Body"]
    either["anyOf"] = [{"required": ["model"]}, {"required": ["name"]}]
    source = derived({"Body": either})
    assert "model: NotRequired[str]\n    name: NotRequired[str]" in source


def test_components_are_shared_and_may_contain_themselves():
    """A reference is the component's name, a scalar component the scalar, and recursion ends."""
    schemas = body({"left": {"$ref": "#/components/schemas/Body"}, "id": {"$ref": "#/components/schemas/Id"}})
    source = derived(schemas | {"Id": {"type": "integer"}})
    assert "left: NotRequired[Body]" in source
    assert "id: NotRequired[int]" in source
    assert source.count("class Body(") == 1


def test_a_union_has_an_alias_after_its_members():
    """Every name that an alias mentions is defined above it, so that the module can be imported."""
    tags = [
        {"type": "object", "description": f"{tag}.", "properties": {"type": {"type": "string", "enum": [tag]}}}
        for tag in "ab"
    ]
    source = derived(body({"part": {"$ref": "#/components/schemas/Part"}}) | {"Part": {"oneOf": tags}})
    assert source.index("class PartA") < source.index("Part: TypeAlias = PartA | PartB")
    compile(source, "derived", "exec")


def test_keys_that_are_no_identifiers_keep_their_names():
    """A key such as `from` needs TypedDict's functional form."""
    assert '"from": "NotRequired[str]"' in derived(body({"from": {"type": "string"}}))


def test_a_class_needs_a_description():
    """A schema without a sentence is refused by name, as its class could not be documented."""
    with pytest.raises(ValueError, match="BodyPart has no description"):
        derived(body({"part": {"type": "object", "properties": {"a": {"type": "string"}}}}))


def test_deriving_is_deterministic():
    """Another process, with other hashes, derives the same text."""
    program = "from tools import generate; print(repr(generate.derived_files()))"
    run = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, cwd=generate.ROOT)
        for _ in range(2)
    ]
    assert run[0].stdout == run[1].stdout


def test_the_operation_table_knows_every_operation():
    """One entry for each operation of each document, with its full path."""
    from handlers.contract.operations import OPERATIONS

    documented = {
        f"{name}.{node['operationId']}"
        for name in openapi.DOCUMENT_NAMES
        for item in openapi.document(name)["paths"].values()
        for node in item.values()
    }
    assert OPERATIONS.keys() == documented
    assert OPERATIONS["openai.createChatCompletion"].path == "/v1/chat/completions"
    assert OPERATIONS["ollama.chat"].streams == "application/x-ndjson"


def test_the_support_page_shows_every_status():
    """Served operations list their parameters, the others their reasons."""
    page = generate.derived_files()["openapi/SUPPORT.md"]
    for line in (
        "| `temperature` | honoured |",
        "| `user` | hint |",
        "| `ignore_eos`+ | honoured |",
        "| refused | Image models",
    ):
        assert line in page
