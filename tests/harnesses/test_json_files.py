"""Files that other tools wrote: what no JSON file may hold, and how much of it is read."""

import json
import os

import pytest

from jacchain.harnesses import json_files
from jacchain.harnesses.json_files import check_asv_machine, read_asv_versions, read_json
from jacchain.records.errors import RecordsError


@pytest.fixture
def file(tmp_path):
    return tmp_path / "a.json"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "damaged: Expecting"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' stands twice"),
        ('{"a": %s}' % ("9" * 5000), "has 5000 digits; expected 40 at most"),
        ('{"a": %s}' % ("[" * 100_000), "too deeply nested"),
        ('{"\\ud800": 1}', r"'\\ud800' holds half of a character"),
        (json.dumps([["a" * 90] * 90] * 90), r"\.\.\. is no JSON object"),
        ("[1]", r"\[1\] is no JSON object"),
    ],
)
def test_what_is_no_sound_object_is_refused_without_advice_to_delete_it(file, text, message):
    file.write_text(text)
    with pytest.raises(RecordsError, match=rf"a.json: .*{message}.*Restore it") as error:
        read_json(file)
    assert "elete" not in str(error.value)
    assert len(str(error.value)) < 500


def test_a_mark_of_the_byte_order_is_skipped(file):
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps({"a": 1}).encode())
    assert read_json(file) == {"a": 1}


def test_a_file_beyond_the_bound_is_refused(file, monkeypatch):
    monkeypatch.setattr(json_files, "MOST_BYTES", 2**20)
    file.write_text('{"a": 1}' + " " * (2**20 - 8))
    assert read_json(file) == {"a": 1}
    file.write_text('{"a": 1}' + " " * 2**20)
    with pytest.raises(RecordsError, match=r"a.json: more than 1 MiB.*fewer"):
        read_json(file)


def test_a_pipe_is_not_waited_for(file):
    os.mkfifo(file)
    with pytest.raises(RecordsError, match=r"a.json is no regular file. Name a file"):
        read_json(file)


def test_versions_of_benchmarks_are_those_that_are_named(file):
    data = {"version": 2, "a": {"version": "1"}, "b": {}, "c": {"version": None}}
    file.write_text(json.dumps(data))
    assert read_asv_versions(file) == {"a": "1"}
    file.write_text(json.dumps(data | {"a": {"version": [1]}}))
    with pytest.raises(RecordsError, match=r"a.json: a.version is \[1\]"):
        read_asv_versions(file)
    file.write_text(json.dumps({"a": {}}))
    with pytest.raises(RecordsError, match=r"benchmarks of version None; this jacchain knows 2"):
        read_asv_versions(file)


def test_a_machine_has_a_name(file):
    file.write_text('{"version": 1, "machine": "desk"}')
    check_asv_machine(file)
    file.write_text('{"version": 1}')
    with pytest.raises(RecordsError, match=r"a.json: machine is missing"):
        check_asv_machine(file)
