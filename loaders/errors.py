"""What may be wrong with a source; `why` and `advice` facts are `Text`s, so that both languages stay whole."""

from core.errors import ChengtuError


class SourceError(ChengtuError):
    """The root of all errors about the file that is to be loaded."""

    en = "{path} cannot be loaded."
    zh = "无法加载 {path}。"
    code = "InvalidParameterValue"
    status = 400
    exit_code = 2


class NoSuchSource(SourceError):
    """Nothing is at that path."""

    en = "There is no file {path}. Check the spelling and the folder."
    zh = "文件 {path} 不存在。请检查文件名与所在目录。"
    status = 404


class NotALocalFile(SourceError):
    """An address, a connection string or inline text where a path must stand."""

    en = "{path} is not a file on this computer. Download or export it first, then give the path of the file."
    zh = "{path} 不是本机文件。请先下载或导出,再给出文件路径。"


class UnreadableSource(SourceError):
    """The operating system does not let us read it."""

    en = "{path} cannot be read ({reason}). Check its permissions and the disk."
    zh = "无法读取 {path}({reason})。请检查文件权限与磁盘。"


class EmptySource(SourceError):
    """A file of no bytes, or an archive or workbook of no members."""

    en = "{path} is empty. Export or copy it again."
    zh = "{path} 是空文件。请重新导出或复制。"


class UnsupportedFormat(SourceError):
    """A suffix that no reader answers to."""

    en = "{path}: this format is not read. {advice}"
    zh = "{path}:不支持该格式。{advice}"


class WrongContent(SourceError):
    """The bytes are not what the suffix says."""

    en = "{path} is called {suffix} but holds {found}, not {expected}. Give the right file, or rename it."
    zh = "{path} 的扩展名是 {suffix},内容却是{found},而不是{expected}。请换成正确的文件或改正扩展名。"


class MissingPart(SourceError):
    """A format of several files, one of which is not there."""

    en = "{path} lacks its companion {missing}. Put all parts with the same name in one folder: {parts}."
    zh = "{path} 缺少配套文件 {missing}。请把同名的各部分放在同一目录:{parts}。"


class DamagedSource(SourceError):
    """Cut off, or broken inside."""

    en = "{path} is damaged: {why}. Copy or export it again."
    zh = "{path} 已损坏:{why}。请重新复制或导出。"


class UnsafeSource(SourceError):
    """Content that would make the reader go elsewhere, or take the machine down."""

    en = "{path} is refused for safety: {why}. {advice}"
    zh = "出于安全考虑拒绝 {path}:{why}。{advice}"


class EncryptedSource(SourceError):
    """An archive or workbook with a password."""

    en = "{path} is protected by a password. Save it without one, then load it again."
    zh = "{path} 设有密码。请去除密码后重新加载。"


class ManyLayers(SourceError):
    """More than one layer with geometry, and none was asked for."""

    en = "{path} holds {count} layers: {layers}. Choose one with --layer."
    zh = "{path} 含有 {count} 个图层:{layers}。请用 --layer 选择其一。"


class NoSuchLayer(SourceError):
    """The layer asked for is not there."""

    en = "There is no layer {layer} in {path}. Layers: {layers}. Choose one with --layer."
    zh = "{path} 中没有图层 {layer}。现有图层:{layers}。请用 --layer 选择。"
    status = 404


class NoGeometry(SourceError):
    """Only tables without geometry."""

    en = "{path} holds no layer with geometry{tables}. A table is joined to places: `chengtu join TABLE --to DATASET`."
    zh = "{path} 中没有带几何的图层{tables}。属性表可关联到空间数据集:`chengtu join 表 --to 数据集`。"


class NoCoordinates(SourceError):
    """A table none of whose columns is known to hold coordinates."""

    en = (
        "{path} has no columns known to hold coordinates. Columns: {columns}. "
        "Name them with --x and --y, or with --wkt; or join the table to places: `chengtu join TABLE --to DATASET`."
    )
    zh = (
        "{path} 中找不到坐标列。现有列:{columns}。请用 --x 和 --y,或 --wkt 指定;"
        "也可将表关联到空间数据集:`chengtu join 表 --to 数据集`。"
    )


class NoSuchColumn(SourceError):
    """A column named on the command line that the table lacks."""

    en = "{path} has no column {column}. Columns: {columns}."
    zh = "{path} 中没有列 {column}。现有列:{columns}。"


class TooManyColumns(SourceError):
    """More columns than a PostgreSQL table can have."""

    en = "{path} has {count} columns; a table can hold {limit}. Split it, or check the delimiter."
    zh = "{path} 有 {count} 列,数据表最多 {limit} 列。请拆分,或检查分隔符。"


class LineTooLong(SourceError):
    """One line of a text file that no table would have."""

    en = "{path}: {line} is longer than {limit}. Check that the file is text with line breaks."
    zh = "{path}:{line}超过 {limit}。请检查该文件是否为带换行的文本。"


class UnknownEncoding(SourceError):
    """A name that is no text encoding."""

    en = "{encoding!r} is not a text encoding. Use for example UTF-8, GB18030, GBK or Big5."
    zh = "{encoding!r} 不是文本编码。可用 UTF-8、GB18030、GBK、Big5 等。"
