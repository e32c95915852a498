"""What can keep a table from being joined to places, and what to do about each."""

from core.errors import ChengtuError


class TableError(ChengtuError):
    """The root of all errors about joining a table."""

    en = "{path} cannot be joined."
    zh = "无法关联 {path}。"
    code = "InvalidParameterValue"
    status = 400
    exit_code = 2


class ManyTables(TableError):
    """More than one table, and none was asked for."""

    en = "{path} holds {count} tables: {tables}. Choose one with --layer."
    zh = "{path} 含有 {count} 个表:{tables}。请用 --layer 选择其一。"


class NoTable(TableError):
    """Nothing in the source is a table, or not the one asked for."""

    en = "{path} holds no table{asked}. Tables: {tables}. Give CSV, XLSX, or a GeoPackage or FileGDB with a table."
    zh = "{path} 中没有表{asked}。现有表:{tables}。可用 CSV、XLSX,或含属性表的 GeoPackage、FileGDB。"


class UnclearHeader(TableError):
    """The names of the columns stand in a way that cannot be told from data."""

    en = "{path}: the names of columns are not clear ({why}). Write them in one row, or in two with the group above."
    zh = "{path}:表头无法识别({why})。请将列名写成一行,或写成两行、分组在上。"


class MergedValues(TableError):
    """One number stands for several places."""

    en = "{path}: cells of {column} are merged over several rows, so one number stands for several places. Split them."
    zh = "{path}:{column} 列存在跨行合并的数值单元格,一个数对应多个地点。请拆分后再关联。"


class UnsavedFormulas(TableError):
    """A workbook that no spreadsheet has worked out yet: its numbers would be missing."""

    en = "{path} holds formulas without results. Open it in Excel or LibreOffice, save it, and join it again."
    zh = "{path} 中有公式没有计算结果。请用 Excel 或 LibreOffice 打开并保存一次,再重新关联。"


class NoSuchTableColumn(TableError):
    """An option names a column that the table lacks."""

    en = "The table has no column {column}. Its columns: {columns}."
    zh = "表中没有列 {column}。现有列:{columns}。"


class NoSuchPlaceField(TableError):
    """An option names a field that the data set of places lacks."""

    en = "{dataset} has no field {field}. Its fields: {fields}."
    zh = "数据集 {dataset} 没有字段 {field}。现有字段:{fields}。"


class NothingFits(TableError):
    """No column of the table holds codes or names of a data set."""

    en = (
        "No column of {path} holds codes or names of {dataset}. Closest: {closest}."
        " Name them: --on COLUMN=FIELD, --on-name COLUMN=FIELD or --on-address COLUMN=FIELD."
    )
    zh = (
        "{path} 中没有列与 {dataset} 的编码或名称相符。最接近:{closest}。"
        "请指定:--on 列=字段、--on-name 列=字段 或 --on-address 列=字段。"
    )


class SeveralFit(TableError):
    """Two ways to join lead to different places."""

    en = "{path} can be joined in several ways that differ: {ways}. Choose with --to and --on COLUMN=FIELD."
    zh = "{path} 有多种关联方式且结果不同:{ways}。请用 --to 与 --on 列=字段 指定。"


class SeveralRows(TableError):
    """Rows of the table that nothing tells apart."""

    en = (
        "Several rows stand for one place: {examples}. Name the column that tells them apart:"
        " --year-field COLUMN, or --by COLUMN; or leave one row a place."
    )
    zh = "同一地点有多行:{examples}。请指定区分它们的列:--year-field 列 或 --by 列;或每个地点只保留一行。"


class WhichYear(TableError):
    """Places that tell the statistic's year differ."""

    en = "The year is not clear: {found}. Say it with --year, or name its column with --year-field."
    zh = "统计年份不明确:{found}。请用 --year 指定,或用 --year-field 指定年份列。"


class NoYear(TableError):
    """The column of years holds something else."""

    en = "The column {column} holds {value!r}, which is no year. Write years as 2024."
    zh = "{column} 列中的 {value!r} 不是年份。请写成 2024 的形式。"


class BadDivisions(TableError):
    """A file of changes of divisions that is not as docs/tables.md says."""

    en = "{where}: {problem}. docs/tables.md tells what the columns are."
    zh = "{where}:{problem}。各列说明见 docs/tables.md。"
