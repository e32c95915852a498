"""The functions that filters may call besides those of CQL2 itself: a short list, and nothing else reaches SQL."""

from typing import Literal, NamedTuple

from core.language import Text

Type = Literal["string", "number", "integer", "geometry"]


class Argument(NamedTuple):
    """What a function is given."""

    title: Text
    type: Type


class Function(NamedTuple):
    """A function as `/functions` describes it (OGC 21-065r2, requirements class Functions)."""

    name: str
    description: Text
    argument: Argument
    returns: Type

    @property
    def usage(self) -> Text:
        """How it is written."""
        return Text(*(f"{self.name}({title})" for title in self.argument.title))


_TEXT = Argument(Text("text", "文本"), "string")
_NUMBER = Argument(Text("number", "数值"), "number")
_GEOMETRY = Argument(Text("geometry", "几何"), "geometry")

FUNCTIONS: tuple[Function, ...] = (
    Function("lower", Text("The text in small letters.", "转为小写。"), _TEXT, "string"),
    Function("upper", Text("The text in capitals.", "转为大写。"), _TEXT, "string"),
    Function("length", Text("How many characters the text has.", "文本的字符数。"), _TEXT, "integer"),
    Function("abs", Text("The number without its sign.", "绝对值。"), _NUMBER, "number"),
    Function("floor", Text("The whole number at or below the number.", "向下取整。"), _NUMBER, "number"),
    Function("ceil", Text("The whole number at or above the number.", "向上取整。"), _NUMBER, "number"),
    Function(
        "round",
        Text("The nearest whole number; halves go away from zero.", "四舍五入取整;半数远离零。"),
        _NUMBER,
        "number",
    ),
    Function(
        "area",
        Text(
            "The area in square metres: on the ellipsoid for data in degrees, else in the plane of the data.",
            "面积(平方米):经纬度数据按椭球面计算,其他数据按其平面计算。",
        ),
        _GEOMETRY,
        "number",
    ),
)
BY_NAME = {function.name: function for function in FUNCTIONS}
