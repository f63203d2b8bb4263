import pytest

from dss.support.units import listed, readable


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0123456, "12.3 ms"),
        (0.9996, "1 s"),
        (65.7238, "65.7 s"),
        (600, "10 min"),
        (14_400, "4 h"),
        (3600 * 12_345, "12300 h"),
    ],
)
def test_a_duration_has_the_unit_that_fits(seconds, text):
    assert readable(seconds) == text


def test_a_long_list_says_how_many_more_there_are():
    assert listed([3, 5, 9]) == "3, 5, 9"
    assert listed(["a", "b", "c"], most=1) == "a and 2 more"
