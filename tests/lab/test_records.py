"""Recorded rows are found from any folder, and what is not there is said in a sentence.

How rows are written, claimed and set aside is tested with the study that does it, in test_study.
"""

import subprocess
import sys

import pandas as pd
import pytest

from simpor.lab import records

READERS = [records.read, records.read_predictions, records.read_thresholds]


def test_both_protocols_come_by_their_headings():
    recorded = records.read_both("glass4")
    assert list(recorded) == list(records.HEADINGS)
    for heading, protocol in records.HEADINGS.items():
        assert set(recorded[heading]["protocol"]) == {protocol}
        pd.testing.assert_frame_equal(recorded[heading], records.read("glass4", protocol))


def test_a_protocol_that_is_not_recorded_is_left_out():
    assert list(records.read_both("credit-card-15")) == ["as published"]


def test_rows_are_found_from_any_folder(tmp_path):
    code = "from simpor.lab.records import read_both; print(*read_both('glass4'))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "as published sound"


def test_reading_rows_loads_neither_networks_nor_samplers():
    code = (
        "import sys, simpor.lab.records; "
        "print([m for m in ('protocol', 'network', 'methods') if f'simpor.lab.{m}' in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_missing_rows_name_the_command(tmp_path):
    for read in READERS:
        with pytest.raises(FileNotFoundError, match="simpor.lab.study --datasets 'moon-7'"):
            read("moon-7", "sound", tmp_path)
    with pytest.raises(FileNotFoundError, match="--datasets 'car eval 4' --protocol published"):
        records.read_both("car eval 4", tmp_path)


def test_a_package_without_its_book_says_so(monkeypatch, tmp_path):
    nowhere = tmp_path / "book" / "results"
    monkeypatch.setattr(records, "RESULTS", nowhere)
    for read in READERS:
        with pytest.raises(FileNotFoundError, match="installed here without its book"):
            read("moon-7", "sound", nowhere)


def test_nothing_is_written_beside_a_package_without_its_book(monkeypatch, tmp_path):
    nowhere = tmp_path / "book" / "results"
    monkeypatch.setattr(records, "RESULTS", nowhere)
    for results in (nowhere, nowhere / "tuning"):
        with pytest.raises(ValueError, match="--results: simpor is installed here without its"):
            records.check_folder(results)
    assert not nowhere.parent.exists()


def test_rows_that_may_not_be_read_are_not_called_damaged(monkeypatch):
    def refuse(*arguments, **settings):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pd, "read_csv", refuse)
    with pytest.raises(PermissionError):
        records.read("glass4", "sound")
    with pytest.raises(PermissionError):
        records.is_whole(records.scores_path("glass4", "sound"))
