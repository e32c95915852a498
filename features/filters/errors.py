"""What can be wrong with a filter."""

from core.errors import BadRequest


class FilterTooLong(BadRequest):
    """More text than a filter may have."""

    en = "The filter has {length} bytes; at most {limit} are read. Ask for less at once."
    zh = "过滤条件有 {length} 字节,最多 {limit} 字节。请简化条件。"


class TextTooLong(BadRequest):
    """A text in quotes that is longer than any value one searches for."""

    en = "A text in the filter has {length} characters; at most {limit} are read. Search for a part of it with LIKE."
    zh = "过滤条件中的一个文本有 {length} 个字符,最多 {limit} 个。请用 LIKE 查找其中一部分。"


class FilterTooDeep(BadRequest):
    """Brackets in brackets in brackets."""

    en = "The filter is nested more than {limit} levels deep. Write it flatter."
    zh = "过滤条件嵌套超过 {limit} 层。请减少嵌套。"


class FilterTooWide(BadRequest):
    """More values and operators than a filter may have."""

    en = "The filter has more than {limit} values, properties and operators. Ask for less at once."
    zh = "过滤条件包含超过 {limit} 个值、属性和运算符。请减少数量。"


class PatternTooWild(BadRequest):
    """A pattern that would take long to match."""

    en = "A LIKE pattern has {count} wildcards %; at most {limit} are read. Write more of the text between them."
    zh = "LIKE 模式包含 {count} 个通配符 %,最多 {limit} 个。请写出更多文字,减少通配符。"


class PatternsTooWild(BadRequest):
    """Patterns that would together take long to match."""

    en = "The LIKE patterns of the filter have more than {limit} wildcards % together. Ask for less at once."
    zh = "过滤条件中所有 LIKE 模式的通配符 % 合计超过 {limit} 个。请减少模式或通配符。"


class FilterUnreadable(BadRequest):
    """Not CQL2 text."""

    en = "The filter cannot be read at character {at}, near {near!r}: {expected} belongs there."
    zh = "过滤条件第 {at} 个字符({near!r} 附近)无法识别:此处应为{expected}。"


class FilterCutShort(BadRequest):
    """CQL2 text that ends before it is complete."""

    en = "The filter ends too early: {expected} belongs at its end."
    zh = "过滤条件不完整:结尾应为{expected}。"


class FilterNotJson(BadRequest):
    """Not CQL2 JSON."""

    en = "The filter is not CQL2 JSON: {problem}."
    zh = "过滤条件不是有效的 CQL2 JSON:{problem}。"


class FilterUnsupported(BadRequest):
    """An operator that CQL2 does not have."""

    en = (
        "{what} is not known in filters. There are = <> < > <= >=, BETWEEN, IN, LIKE, IS NULL, AND, OR, NOT,"
        " + - * / % div ^, CASEI, ACCENTI, DATE, TIMESTAMP, INTERVAL, BBOX, the functions S_..., T_... and A_... of"
        " CQL2, and {functions}."
    )
    zh = (
        "过滤条件不支持 {what}。可用:= <> < > <= >=、BETWEEN、IN、LIKE、IS NULL、AND、OR、NOT、+ - * / % div ^、"
        "CASEI、ACCENTI、DATE、TIMESTAMP、INTERVAL、BBOX,CQL2 的 S_...、T_...、A_... 函数,以及 {functions}。"
    )


class WrongArguments(BadRequest):
    """A function that is called with more or fewer arguments than it takes."""

    en = "{name} in the filter takes one argument, not {given}. Write {usage}."
    zh = "过滤条件中的 {name} 需要一个参数,而不是 {given} 个。请写作 {usage}。"


class BadLiteral(BadRequest):
    """A value that is none."""

    en = "{text!r} in the filter is not {expected}."
    zh = "过滤条件中的 {text!r} 不是{expected}。"


class UnknownProperty(BadRequest):
    """The data set has no such attribute."""

    en = "The data set {dataset} has no property {name!r}. It has: {known}."
    zh = "数据集 {dataset} 没有属性 {name!r}。可用属性:{known}。"


class NotComparable(BadRequest):
    """An attribute of a type without an order, such as JSON."""

    en = "{name} has the type {type}, which filters cannot compare. {advice}"
    zh = "{name} 的类型为 {type},过滤条件无法比较。{advice}"


class TypesDiffer(BadRequest):
    """Values of two kinds that cannot be held against each other."""

    en = "{what} in the filter needs {wanted}, but {given} is {kind}.{hint}"
    zh = "过滤条件中 {what} 需要{wanted},但 {given} 是{kind}。{hint}"


class NotACondition(BadRequest):
    """A value stands where something true or false must."""

    en = "{what} in the filter is a value, not a condition. Compare it with something, such as {what} = 1."
    zh = "过滤条件中的 {what} 是值而不是条件。请加以比较,例如 {what} = 1。"


class NotAValue(BadRequest):
    """A condition stands where a value must."""

    en = "{what} in the filter stands where a value belongs."
    zh = "过滤条件中的 {what} 处应为一个值。"


class NoPattern(BadRequest):
    """LIKE with something else than a text on its right."""

    en = "LIKE in the filter takes a text in quotes on its right, such as LIKE 'a%', or CASEI or ACCENTI of one."
    zh = "过滤条件中 LIKE 右侧须为带引号的文本(如 LIKE 'a%'),或其 CASEI、ACCENTI。"


class NoTime(BadRequest):
    """Something in a T_ function that is neither an instant nor an interval."""

    en = (
        "{op} in the filter compares dates, timestamps and intervals, not {given}. Write a property of such a type,"
        " DATE('2024-05-31'), TIMESTAMP('2024-05-31T08:00:00Z') or INTERVAL('2024-01-01', '..')."
    )
    zh = (
        "过滤条件中的 {op} 用于比较日期、时刻和时段,而不是 {given}。请写日期或时刻属性、DATE('2024-05-31')、"
        "TIMESTAMP('2024-05-31T08:00:00Z') 或 INTERVAL('2024-01-01', '..')。"
    )


class NoInterval(BadRequest):
    """An instant in a function that only intervals can answer."""

    en = (
        "{op} in the filter compares two intervals, and {given} is an instant. T_AFTER, T_BEFORE, T_EQUALS, T_DISJOINT"
        " and T_INTERSECTS take instants; INTERVAL(a, b) makes an interval."
    )
    zh = (
        "过滤条件中的 {op} 用于比较两个时段,而 {given} 是时刻。T_AFTER、T_BEFORE、T_EQUALS、T_DISJOINT 和 "
        "T_INTERSECTS 可用于时刻;INTERVAL(a, b) 表示时段。"
    )


class IntervalReversed(BadRequest):
    """An interval that ends before it begins."""

    en = "The interval from {start} to {end} in the filter ends before it begins. Exchange its ends."
    zh = "过滤条件中的时段 {start} 至 {end} 结束早于开始。请交换两端。"


class NoArray(BadRequest):
    """Something in an A_ function that is no array."""

    en = (
        "{op} in the filter compares two arrays, and {given} is none. Write ('a', 'b'), or a property of an array type."
    )
    zh = "过滤条件中的 {op} 用于比较两个数组,而 {given} 不是数组。请写 ('a', 'b') 或数组类型的属性。"


class FilterNotComputable(BadRequest):
    """PostgreSQL gave up on the numbers of a filter."""

    en = "The filter cannot be computed on these data: {reason}."
    zh = "过滤条件无法在该数据上计算:{reason}。"
