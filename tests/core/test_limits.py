from __future__ import annotations

import pytest

from seqdis.core.errors import InputError
from seqdis.core.limits import SETTING, Limits, allowed_content, check_claim, check_size, limits


def test_one_variable_changes_any_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SETTING, raising=False)
    assert limits() == Limits()
    monkeypatch.setenv(SETTING, "pixels=7, columns=9")
    assert limits() == Limits(pixels=7, columns=9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pixel=7", r"SEQDIS_LIMITS: unknown key 'pixel' \(did you mean 'pixels'\?\)"),
        ("pixels", r"SEQDIS_LIMITS: 'pixels' is not of the form name=number"),
        ("pixels=0", "SEQDIS_LIMITS: key 'pixels' is '0'"),
        ("pixels=many", "SEQDIS_LIMITS: key 'pixels' is 'many'"),
    ],
)
def test_a_limit_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, text: str, message: str) -> None:
    monkeypatch.setenv(SETTING, text)
    with pytest.raises(InputError, match=message):
        limits()


def test_a_claim_is_held_against_the_size_of_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "content=100,expansion=3,samples=5")
    assert [allowed_content(size) for size in (0, 10, 33, 34)] == [100, 100, 100, 102]
    assert allowed_content(34, "samples") == 170
    check_claim("x", 102, 34, what="cells")
    message = r"^x: 103 cells in a file of 34 bytes; allowed: 102, or a larger SEQDIS_LIMITS=expansion=4$"
    with pytest.raises(InputError, match=message):
        check_claim("x", 103, 34, what="cells")
    monkeypatch.setenv(SETTING, "content=100,expansion=4,samples=5")  # what the message says is enough
    check_claim("x", 103, 34, what="cells")


def test_a_size_is_held_against_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "columns=5")
    check_size("x", 5, "columns", what="columns")
    with pytest.raises(InputError, match=r"^x: 6 columns; allowed: 5, or a larger SEQDIS_LIMITS=columns=6$"):
        check_size("x", 6, "columns", what="columns")
