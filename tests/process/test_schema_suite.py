"""The count over the public schema suite says what is kept, what is refused and why, and fails where something wrong would be taken."""

import json

from tools import schema_suite

KEPT = {
    "description": "numbers",
    "schema": {"type": "integer", "maximum": 9},
    "tests": [
        {"description": "small", "data": 3, "valid": True},
        {"description": "written otherwise", "data": 3.0, "valid": True},
        {"description": "large", "data": 12, "valid": False},
    ],
}
REFUSED = {"description": "negated", "schema": {"not": {}}, "tests": []}
WRONG = {"description": "told wrong", "schema": {}, "tests": [{"description": "any", "data": 1, "valid": False}]}


def counted(directory, capsys, *groups):
    (directory / "some.json").write_text(json.dumps(groups))
    status = schema_suite.main(directory)
    return status, capsys.readouterr().out


def test_it_counts_schemas_and_instances_and_names_what_is_not_kept(tmp_path, capsys):
    status, said = counted(tmp_path, capsys, KEPT, REFUSED)
    assert status == 0
    assert "1 of 2 are kept" in said
    assert "not: can't be enforced" in said
    assert "1 of 1 can't be generated" in said
    assert "1 of 2 can be generated" in said


def test_it_fails_where_an_invalid_instance_is_taken(tmp_path, capsys):
    status, said = counted(tmp_path, capsys, WRONG)
    assert status == 1
    assert "WRONG: some.json: told wrong: any" in said
