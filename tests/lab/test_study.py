"""The recording of a comparison, file by file."""

import gzip

import numpy as np
import pytest

from simpor.lab import study


def test_recorded_rows_come_back(tmp_path, capsys):
    arguments = ["--datasets", "breast-cancer-7", "--methods", "svmcs", "--jobs", "1"]
    study.main([*arguments, "--results", str(tmp_path)])
    path = tmp_path / "published" / "breast-cancer-7.csv.gz"
    assert capsys.readouterr().out.strip() == str(path)

    rows = study.read("breast-cancer-7", "published", tmp_path)
    assert set(rows["method"]) == {"svmcs"} and set(rows["fold"]) == set(range(5))
    assert np.isfinite(rows["value"]).all() and (rows["failure"] == "").all()
    assert gzip.decompress(path.read_bytes()).startswith(b"# Made by python -m simpor.lab.study")

    before = path.stat().st_mtime_ns
    study.main([*arguments, "--results", str(tmp_path)])  # there already: not made again
    assert path.stat().st_mtime_ns == before
    study.main([*arguments, "--results", str(tmp_path), "--again"])
    assert path.stat().st_mtime_ns > before


def test_missing_rows_name_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match="python -m simpor.lab.study --datasets 'moon-7'"):
        study.read("moon-7", "sound", tmp_path)


def test_wrong_names_are_refused(capsys):
    with pytest.raises(SystemExit):
        study.main(["--protocol", "hopeful"])
    assert "invalid choice" in capsys.readouterr().err
