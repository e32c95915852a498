"""What can be wrong with a source's CRS, and what to do about each."""

from core.errors import ChengtuError


class CrsProblem(ChengtuError):
    """The root of what keeps a loader from knowing where coordinates are."""

    status = 400
    exit_code = 2


class UnreadableCrs(CrsProblem):
    """A .prj or header that is no CRS."""

    en = "The source declares a CRS that cannot be read: {shown!r}. Name the right one with --srs EPSG:n."
    zh = "数据源声明的坐标系无法解析:{shown!r}。请用 --srs EPSG:n 指定正确的坐标系。"


class NoEpsgCode(CrsProblem):
    """A CRS of the user's own, a city's local grid or a geocentric one."""

    en = (
        "The source's CRS {name!r} is no geographic or plane CRS with an EPSG code.{hint} If its numbers are those of"
        " a published CRS, name that with --srs EPSG:n; data in a local grid must be brought into one first."
    )
    zh = (
        "数据源的坐标系 {name!r} 不是具有 EPSG 代码的地理或投影坐标系。{hint}"
        "若其坐标等同于某个已发布的坐标系,请用 --srs EPSG:n 指定;"
        "地方独立坐标系的数据须先转换。"
    )


class CrsNeeded(CrsProblem):
    """No CRS is declared, and the numbers leave more than one answer, or none; `candidates` are SRIDs."""

    en = "The source declares no CRS. {finding} Name the CRS with --srs EPSG:n."
    zh = "数据源未声明坐标系。{finding}请用 --srs EPSG:n 指定坐标系。"


class AxesUnclear(CrsProblem):
    """The numbers make sense both ways round."""

    en = (
        "The axis order of the numbers ({numbers}) is unclear: {finding}"
        " Say --axes yx if the source gives north first, --axes xy if east."
    )
    zh = "坐标({numbers})的轴序无法确定:{finding}若数据源北坐标在前,请加 --axes yx;东坐标在前,请加 --axes xy。"


class DegreesInMetreCrs(CrsProblem):
    """Longitudes and latitudes under the name of a plane CRS."""

    en = "The CRS is said to be {crs}, in metres, but the numbers ({numbers}) look like degrees. Load with {option}."
    zh = "坐标系标为 {crs}(单位米),但坐标({numbers})像是经纬度。请加 {option} 重新加载。"


class MetresInDegreeCrs(CrsProblem):
    """Metres under the name of a geographic CRS; GeoJSON written from a local grid is the usual case."""

    en = (
        "The CRS is said to be {crs}, in degrees, but the numbers ({numbers}) are no longitudes and latitudes."
        " {finding} Name the right CRS with --srs EPSG:n."
    )
    zh = "坐标系标为 {crs}(单位度),但坐标({numbers})不是经纬度。{finding}请用 --srs EPSG:n 指定正确的坐标系。"


class WrongZone(CrsProblem):
    """Eastings with a zone number in a CRS without, the reverse, or another zone's number."""

    en = "The CRS is said to be {crs}, but the numbers ({numbers}) fit {right}. Load with {option}."
    zh = "坐标系标为 {crs},但坐标({numbers})符合 {right}。请加 {option} 重新加载。"


class FarOutside(CrsProblem):
    """The numbers lie nowhere near the part of the world that the CRS is for."""

    en = (
        "The numbers ({numbers}) lie far outside where {crs} is used. {finding}"
        " Name the right CRS with --srs EPSG:n; to insist on this one, name it so."
    )
    zh = (
        "坐标({numbers})远在 {crs} 的适用范围之外。{finding}"
        "请用 --srs EPSG:n 指定正确的坐标系;若确为此坐标系,也请如此指明。"
    )


class OldDatum(CrsProblem):
    """Beijing 1954, Xian 1980 or New Beijing: PROJ would take the numbers for CGCS2000 and say nothing."""

    en = (
        "{crs} stands on the datum {datum}, tens of metres away from CGCS2000, and no public transformation is exact"
        " enough. Ask your surveying office for the parameters and give their file with --datum-shift FILE."
    )
    zh = (
        "{crs} 基于 {datum} 坐标系,与 CGCS2000 相差数十米,公开的转换参数精度不足。"
        "请向测绘主管部门申请转换参数,并用 --datum-shift 文件 指定。"
    )


class ShiftForOtherCrs(CrsProblem):
    """A file of parameters that belongs to other data."""

    en = "The parameters of --datum-shift are for {theirs}, but the source is in {crs}. Leave them out, or get its own."
    zh = "--datum-shift 的参数适用于 {theirs},而数据源为 {crs}。请去掉该选项,或取得对应的参数。"


class BadShiftFile(CrsProblem):
    """A file of parameters that cannot be used; its values are secret, so none is ever shown."""

    en = "{path}: {problem} docs/loading.md shows how to write such a file."
    zh = "{path}:{problem}文件写法见 docs/loading.md。"


class ShiftHasNoTwin(CrsProblem):
    """No CRS of CGCS2000 has the projection of the source."""

    en = "CGCS2000 has no CRS with the projection of {crs}, so --datum-shift has nowhere to bring the data."
    zh = "CGCS2000 下没有与 {crs} 投影相同的坐标系,无法使用 --datum-shift 转换。"


class NoWayToWgs84(CrsProblem):
    """A datum that PROJ cannot relate to WGS 84 without grids or guesses."""

    en = "No transformation from {crs} to WGS 84 is known here. Transform the data to CGCS2000 or WGS 84 first."
    zh = "没有从 {crs} 到 WGS 84 的已知转换。请先将数据转换到 CGCS2000 或 WGS 84。"
