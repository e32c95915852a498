"""What can be wrong with a filter."""

from core.errors import BadRequest


class FilterTooLong(BadRequest):
    """More text than a filter may have."""

    en = "The filter has {length} bytes; at most {limit} are read. Ask for less at once."
    zh = "过滤条件有 {length} 字节,最多 {limit} 字节。请简化条件。"


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

    en = "A LIKE pattern has {count} wildcards %; at most {limit} are read."
    zh = "LIKE 模式包含 {count} 个通配符 %,最多 {limit} 个。"


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
    """CQL2, but a part of it that is not served here."""

    en = (
        "{what} is not supported in filters. There are = <> < > <= >=, BETWEEN, IN, LIKE, IS NULL, AND, OR, NOT,"
        " + - * /, CASEI, DATE, TIMESTAMP, S_INTERSECTS and BBOX."
    )
    zh = (
        "过滤条件不支持 {what}。可用:= <> < > <= >=、BETWEEN、IN、LIKE、IS NULL、AND、OR、NOT、"
        "+ - * /、CASEI、DATE、TIMESTAMP、S_INTERSECTS 和 BBOX。"
    )


class BadLiteral(BadRequest):
    """A value that is none."""

    en = "{text!r} in the filter is not {expected}."
    zh = "过滤条件中的 {text!r} 不是{expected}。"


class UnknownProperty(BadRequest):
    """The data set has no such attribute."""

    en = "The data set {dataset} has no property {name!r}. It has: {known}."
    zh = "数据集 {dataset} 没有属性 {name!r}。可用属性:{known}。"


class NotComparable(BadRequest):
    """An attribute of a type without an order, such as JSON or an array."""

    en = "{name} has the type {type}, which filters cannot compare. Only IS NULL can be asked of it."
    zh = "{name} 的类型为 {type},过滤条件无法比较,只能判断 IS NULL。"


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


class FilterNotComputable(BadRequest):
    """PostgreSQL gave up on the numbers of a filter."""

    en = "The filter cannot be computed on these data: {reason}."
    zh = "过滤条件无法在该数据上计算:{reason}。"
