"""The vocabulary of errors: each class says what happened and what to do, in English and in Chinese."""

from typing import ClassVar

from core.language import Language, Text


class ChengtuError(Exception):
    """The root of all errors that a user may see; `facts` fill the class's two sentences."""

    en: ClassVar[str] = "Something went wrong."
    zh: ClassVar[str] = "发生错误。"
    code: ClassVar[str] = "NoApplicableCode"  # OGC API exception code
    status: ClassVar[int] = 500  # HTTP
    exit_code: ClassVar[int] = 1  # command line

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.text.en)

    @property
    def text(self) -> Text:
        """The message in both languages; a fact that is a `Text` itself is told in the language around it."""
        return Text(en=self.en.format(**self._facts_in("en")), zh=self.zh.format(**self._facts_in("zh")))

    def _facts_in(self, language: Language) -> dict[str, object]:
        return {name: fact.in_(language) if isinstance(fact, Text) else fact for name, fact in self.facts.items()}

    def message(self, language: Language) -> str:
        """The message in one language."""
        return self.text.in_(language)


class BadRequest(ChengtuError):
    """A request that the caller can mend."""

    en = "{reason}"
    zh = "{reason}"
    code = "InvalidParameterValue"
    status = 400
    exit_code = 2


class BadSettings(ChengtuError):
    """Environment or pygeoapi-config.yml hold something that is not a setting."""

    en = "{where}: {problem}. See docs/settings.md for the settings and their values."
    zh = "{where}:{problem}。可用设置见 docs/settings.md。"
    exit_code = 2


class DatabaseUnreachable(ChengtuError):
    """No connection to PostgreSQL."""

    en = "The database does not answer ({reason}). Is it running, and is DATABASE_URL right? See `chengtu doctor`."
    zh = "数据库没有响应({reason})。请检查数据库是否运行、DATABASE_URL 是否正确。可运行 `chengtu doctor`。"
    status = 503
    exit_code = 3


class DatabaseBusy(ChengtuError):
    """All connections are taken, or the statement ran into its time limit."""

    en = "The server is busy or the request needs too long ({reason}). Try again shortly, or ask for less."
    zh = "服务繁忙或请求耗时过长({reason})。请稍后重试,或缩小请求范围。"
    status = 503
    exit_code = 3


class PostgisMissing(ChengtuError):
    """The database has no PostGIS and we may not create it."""

    en = "The database has no PostGIS extension. Run `CREATE EXTENSION postgis` in it as a superuser."
    zh = "数据库未安装 PostGIS 扩展。请以超级用户在该库执行 `CREATE EXTENSION postgis`。"
    status = 503
    exit_code = 3


class SchemaTooNew(ChengtuError):
    """The database was set up by a newer Chengtu."""

    en = "The database holds schema version {found}, this Chengtu knows up to {known}. Update Chengtu."
    zh = "数据库结构版本为 {found},当前城图最高支持 {known}。请升级城图。"
    status = 503
    exit_code = 3


class NoSuchDataset(ChengtuError):
    """The catalogue has no such data set."""

    en = "There is no data set {id}. `chengtu datasets list` shows those there are."
    zh = "没有数据集 {id}。用 `chengtu datasets list` 查看已有数据集。"
    code = "NotFound"
    status = 404
    exit_code = 2


class NoSuchCollection(ChengtuError):
    """The API has no such collection."""

    en = "There is no collection {id!r}. /collections lists those there are."
    zh = "没有集合 {id!r}。可用集合见 /collections。"
    code = "NotFound"
    status = 404


class BadDatasetId(ChengtuError):
    """An id that cannot be a collection id, a table name and a URL path at once."""

    en = "{id!r} cannot be an id: use a-z, 0-9 and _, begin with a letter, at most 48 characters. Choose one with --as."
    zh = "{id!r} 不能作为数据集编号:只用 a-z、0-9 和 _,以字母开头,至多 48 个字符。请用 --as 指定。"
    exit_code = 2


class DatasetQuarantined(ChengtuError):
    """The data set's table and its catalogue entry no longer fit together."""

    en = "The data set {id} is out of service: {reason}. Load it again, or repair its table."
    zh = "数据集 {id} 暂停服务:{reason}。请重新加载,或修复其数据表。"
    status = 503
    exit_code = 3
