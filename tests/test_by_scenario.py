"""Sentences of many scenarios: each said once, with the scenarios that it is true of."""

from studies.by_scenario import gathered


def test_what_is_the_same_is_said_once() -> None:
    said = gathered(["code: no pairs", "law: no pairs", "art: one prompt", "everywhere the same"])
    assert said == ("code and law: no pairs", "art: one prompt", "everywhere the same")


def test_numbers_that_differ_are_a_range() -> None:
    each = ("a: in 4 % of 20 a ridge of .01", "b: in 1 % of 1,204 a ridge of .01", "c: in 2 % of 20 a ridge of .01")
    said = gathered(each)
    assert said == ("a, b and c: in 1 to 4 % of 20 to 1,204 a ridge of .01",)


def test_names_with_commas_are_quoted_and_many_counted() -> None:
    assert gathered(["clause, court: thin", "law: thin"]) == ("'clause, court' and 'law': thin",)
    assert gathered([f"s{k}: thin" for k in range(7)]) == ("s0, s1, s2, s3 and 3 more: thin",)
