from aip_trio.endpoints.tools._docstring import Docstring


async def documented() -> None:
    """Move the arm.

    It takes a while.

    :param x: how far
        to the right
    :param int y: how far up
    :returns: where it is
        by then
    :param z:

    And more, which belongs to nothing.
    """


async def undocumented() -> None:
    pass


async def without_fields() -> None:
    """Ratio 1:2, and :math: is no field in here."""


def test_what_stands_before_the_fields_describes_the_function() -> None:
    assert Docstring.of(documented).description == "Move the arm.\n\nIt takes a while."


def test_each_param_describes_its_parameter_in_one_line() -> None:
    assert Docstring.of(documented).parameters == {
        "x": "how far to the right",
        "y": "how far up",
        "z": "",
    }


def test_a_function_may_say_nothing() -> None:
    assert Docstring.of(undocumented) == Docstring(None, {})


def test_a_colon_within_a_line_begins_no_field() -> None:
    assert Docstring.of(without_fields).description == "Ratio 1:2, and :math: is no field in here."
