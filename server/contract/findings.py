"""The vocabulary of a check: everything that can be found, what QGIS's user notices of it, and what to do about it."""

from typing import NamedTuple

from core.language import Language, Text
from server.contract.report import Finding, State


class Kind(NamedTuple):
    """Three sentences about one thing that can be found; its facts stand in braces."""

    state: State
    seen: Text
    consequence: Text
    advice: Text


def finding(code: str, **facts: object) -> Finding:
    """A finding of the kind `code`, its sentences filled with facts."""
    kind = KINDS[code]
    seen, consequence, advice = (_filled(text, facts) for text in kind[1:])
    return Finding(code, kind.state, seen, consequence, advice)


def _filled(text: Text, facts: dict[str, object]) -> Text:
    def in_(language: Language) -> str:
        told = {name: fact.in_(language) if isinstance(fact, Text) else fact for name, fact in facts.items()}
        return text.in_(language).format(**told)

    return Text(in_("en"), in_("zh"))


_INVALID = Text(
    "QGIS stops here with an error: the layer is not added.",
    "QGIS 在此报错并停止:图层无法添加。",
)
_LOG = Text("Look into the server's log.", "请查看服务器日志。")
_UNCHECKED = Text(
    "QGIS would follow it to that host. This check contacts no other host, so what lies there is unknown.",
    "QGIS 会访问该主机。本检查不访问其他主机,因此该处内容未知。",
)
_PUBLIC_URL = Text(
    "Set the service's public address, so that its links begin with the address that users type.",
    "请设置服务的公开地址,使链接以用户输入的地址开头。",
)
_DOWNLOADS_ALL = Text(
    "QGIS downloads the whole collection and filters it on the user's machine.",
    "QGIS 会下载整个集合,再在用户机器上过滤。",
)

# What can go wrong with any request.
_ANY: dict[str, Kind] = {
    "no-answer": Kind(
        "failure",
        Text("{url} gives no answer: {reason}.", "{url} 没有响应:{reason}。"),
        Text("QGIS shows a network error.", "QGIS 显示网络错误。"),
        Text(
            "Is the service running, and is the address right? Try it in a browser on the same machine.",
            "请确认服务正在运行、地址正确,可在同一台机器的浏览器中尝试。",
        ),
    ),
    "timeout": Kind(
        "failure",
        Text("{url} had not answered in full after {seconds} s.", "{url} 在 {seconds} 秒内未完整响应。"),
        Text(
            "QGIS waits, seems to hang, and gives up after its network timeout (60 s).",
            "QGIS 会一直等待,看似卡死,直到网络超时(60 秒)。",
        ),
        Text(
            "Look for a slow query, a missing index, or a server with too few processes.",
            "请检查慢查询、缺失的索引或服务进程数不足。",
        ),
    ),
    "too-large": Kind(
        "failure",
        Text("{url} answers with more than {limit} MB.", "{url} 的响应超过 {limit} MB。"),
        Text(
            "QGIS reads it all into memory before it draws anything.",
            "QGIS 会将其全部读入内存后才开始绘制。",
        ),
        Text(
            "Bound the size of answers: a maximum for `limit`, simpler geometries, no lists without end.",
            "请限制响应大小:设置 `limit` 上限、简化几何、避免无限列表。",
        ),
    ),
    "redirect-elsewhere": Kind(
        "failure",
        Text("{url} redirects to another host: {target}.", "{url} 重定向到其他主机:{target}。"),
        _UNCHECKED,
        Text(
            "Answer there directly, or check the address it leads to.", "请直接在该地址响应,或改为检查重定向后的地址。"
        ),
    ),
    "redirect-loop": Kind(
        "failure",
        Text("{url} redirects again and again.", "{url} 不断重定向。"),
        _INVALID,
        Text("Look at the proxy's rules for slashes and https.", "请检查代理关于斜杠与 https 的规则。"),
    ),
    "link-elsewhere": Kind(
        "warning",
        Text("A link leads to another host: {url}.", "链接指向其他主机:{url}。"),
        _UNCHECKED,
        _PUBLIC_URL,
    ),
    "link-relative": Kind(
        "failure",
        Text("A link is not a whole web address: {url}.", "链接不是完整网址:{url}。"),
        Text("QGIS does not complete links: it cannot follow this one.", "QGIS 不会补全链接,无法访问该链接。"),
        Text("Write links as whole addresses, with http:// and host.", "链接请写完整网址(含 http:// 与主机)。"),
    ),
    "link-insecure": Kind(
        "warning",
        Text("The address is https, but links lead to http: {url}.", "地址为 https,但链接指向 http:{url}。"),
        Text(
            "QGIS goes on unencrypted, or fails where the port is closed.",
            "QGIS 会改用未加密连接;若端口关闭则失败。",
        ),
        _PUBLIC_URL,
    ),
    "http-status": Kind(
        "failure",
        Text("{url} answers {status}: {said}", "{url} 返回 {status}:{said}"),
        _INVALID,
        _LOG,
    ),
    "not-utf8": Kind(
        "failure",
        Text("{url}: byte {place} is not UTF-8.", "{url}:第 {place} 字节不是 UTF-8。"),
        Text('QGIS shows: "Invalid UTF-8 content".', "QGIS 显示:“Invalid UTF-8 content”。"),
        Text(
            "Send UTF-8. Old Chinese databases often hold GBK: convert it on the way out.",
            "请以 UTF-8 输出。旧数据库常为 GBK,请在输出时转换。",
        ),
    ),
    "not-json": Kind(
        "failure",
        Text("{url} is not JSON; it begins: {start}", "{url} 不是 JSON,开头为:{start}"),
        Text('QGIS shows: "Cannot decode JSON document".', "QGIS 显示:“Cannot decode JSON document”。"),
        Text(
            "Answer `Accept: application/json` with JSON, whatever browsers get; NaN is no JSON.",
            "对 `Accept: application/json` 必须返回 JSON(浏览器可另行处理);NaN 不是合法 JSON。",
        ),
    ),
    "not-as-expected": Kind(
        "failure",
        Text("{url} is JSON, but not {what}.", "{url} 是 JSON,但不是{what}。"),
        _INVALID,
        Text("Is this the address of an OGC API - Features service?", "请确认这是 OGC API - Features 服务的地址。"),
    ),
    "gzip-unlabelled": Kind(
        "failure",
        Text("{url} is packed with gzip but does not say so.", "{url} 经 gzip 压缩,但未声明。"),
        Text("QGIS cannot read it.", "QGIS 无法读取。"),
        Text("Send `Content-Encoding: gzip`.", "请发送 `Content-Encoding: gzip`。"),
    ),
    "spent": Kind(
        "warning",
        Text(
            "The check has used up its requests ({requests}) or its time.",
            "检查已用完请求次数({requests})或时间。",
        ),
        Text("What follows is unknown.", "后续情况未知。"),
        Text("Check again when the service is less busy.", "请在服务空闲时重新检查。"),
    ),
}

_LANDING: dict[str, Kind] = {
    "no-service-desc": Kind(
        "failure",
        Text("The landing page has no link `service-desc`.", "首页没有 `service-desc` 链接。"),
        Text(
            'QGIS shows: "Missing information in response". The layer is invalid.',
            "QGIS 显示:“Missing information in response”,图层无效。",
        ),
        Text(
            "Link the OpenAPI document: rel `service-desc`, type `application/vnd.oai.openapi+json;version=3.0`.",
            "请添加指向 OpenAPI 文档的链接:rel 为 `service-desc`,type 为 `application/vnd.oai.openapi+json;version=3.0`。",
        ),
    ),
    "no-data-link": Kind(
        "failure",
        Text("The landing page has no link `data`.", "首页没有 `data` 链接。"),
        Text(
            'QGIS shows: "Missing information in response". The layer is invalid.',
            "QGIS 显示:“Missing information in response”,图层无效。",
        ),
        Text(
            "Link the collections: rel `data`, type `application/json`.",
            "请添加指向集合列表的链接:rel 为 `data`,type 为 `application/json`。",
        ),
    ),
    "no-conformance-link": Kind(
        "warning",
        Text("The landing page has no link `conformance`.", "首页没有 `conformance` 链接。"),
        Text(
            "QGIS knows of no capability: no choice of CRS, no filters on the server, no schema.",
            "QGIS 无法得知任何能力:不能选择坐标系、不在服务器过滤、不读取字段定义。",
        ),
        Text("Link the conformance classes: rel `conformance`.", "请添加 rel 为 `conformance` 的链接。"),
    ),
    "service-desc-type": Kind(
        "note",
        Text("The type of `service-desc` is {type}.", "`service-desc` 的类型为 {type}。"),
        Text(
            "QGIS prefers `application/vnd.oai.openapi+json;version=3.0`, and takes this for want of it.",
            "QGIS 首选 `application/vnd.oai.openapi+json;version=3.0`,没有时才使用该链接。",
        ),
        Text(
            "Name that type; newer versions of OpenAPI may be linked beside it.",
            "请使用该类型,新版 OpenAPI 可另行链接。",
        ),
    ),
    "key-refused": Kind(
        "note",
        Text(
            "An address with `?api-key=` gets {status}.",
            "带 `?api-key=` 的地址返回 {status}。",
        ),
        Text(
            "A key cannot be given in the address; QGIS loses keys in headers at times.",
            "无法在地址中提供密钥,而 QGIS 有时会丢失请求头中的密钥。",
        ),
        Text(
            "Nothing, if the service needs no key.",
            "若服务不需要密钥,则无需处理。",
        ),
    ),
    "key-not-kept": Kind(
        "note",
        Text(
            "Links do not keep the query string of the address ({query}).",
            "链接未保留地址中的查询串({query})。",
        ),
        Text(
            "QGIS adds it itself to landing, API, collection, items and pages, but not to conformance, queryables,"
            " schema and OPTIONS: behind a key these fail, and with them filters, fields and editing.",
            "QGIS 会自行将其附加到首页、接口、集合、要素与分页请求,但不会附加到 conformance、queryables、schema"
            " 和 OPTIONS:若需要密钥,这些请求会失败,过滤、字段定义与编辑随之失效。",
        ),
        Text(
            "If a key is needed, keep it on every link, and leave those four open.",
            "若需要密钥,请在所有链接中保留,并开放上述四种请求。",
        ),
    ),
}

_API: dict[str, Kind] = {
    "no-limit-parameter": Kind(
        "warning",
        Text(
            "The OpenAPI document has no `components.parameters.limit` with a default or a maximum.",
            "OpenAPI 文档没有带 default 或 maximum 的 `components.parameters.limit`。",
        ),
        Text(
            "QGIS reads pages of only 100 features: ten times the requests.",
            "QGIS 每页只读取 100 个要素,请求次数为十倍。",
        ),
        Text(
            "Define `limit` under components.parameters, with schema.default and schema.maximum (10 000, say).",
            "请在 components.parameters 下定义 `limit`,含 schema.default 与 schema.maximum(如 10 000)。",
        ),
    ),
    "small-pages": Kind(
        "note",
        Text("The largest page holds {size} features.", "每页最多 {size} 个要素。"),
        Text("QGIS needs more requests than it would at 1 000.", "与每页 1 000 相比,QGIS 需要更多请求。"),
        Text("Raise the maximum of `limit` to 1 000 or more.", "请将 `limit` 的上限提高到 1 000 以上。"),
    ),
    "api-large": Kind(
        "warning",
        Text("The OpenAPI document has {megabytes} MB.", "OpenAPI 文档有 {megabytes} MB。"),
        Text(
            "QGIS fetches and parses it for every layer: adding one takes seconds.",
            "QGIS 每添加一个图层都要下载并解析它,需时数秒。",
        ),
        Text("Share schemas and parameters by `$ref`.", "请用 `$ref` 共享模式与参数。"),
    ),
    "no-contact": Kind(
        "note",
        Text("The OpenAPI document names no contact.", "OpenAPI 文档没有联系方式。"),
        Text("The layer's metadata in QGIS show no contact.", "QGIS 的图层元数据中没有联系方式。"),
        Text("Fill `info.contact.name`.", "请填写 `info.contact.name`。"),
    ),
}

_COLLECTION: dict[str, Kind] = {
    "no-collections": Kind(
        "failure",
        Text("The service lists no collection.", "服务没有列出任何集合。"),
        Text("QGIS's list of layers is empty.", "QGIS 的图层列表为空。"),
        Text("Publish a data set.", "请发布数据集。"),
    ),
    "slash-needed": Kind(
        "note",
        Text("The collection answers only with a slash at its end.", "集合地址须以斜杠结尾才有响应。"),
        Text(
            "QGIS tries again with one since 2023; older versions fail.",
            "2023 年以后的 QGIS 会加斜杠重试,旧版本则失败。",
        ),
        Text("Answer without the slash.", "请在无斜杠的地址上响应。"),
    ),
    "no-extent": Kind(
        "warning",
        Text("The collection has no `extent.spatial.bbox`.", "集合没有 `extent.spatial.bbox`。"),
        Text(
            '"Zoom to layer" goes to the first ten features only.',
            "“缩放到图层”只会缩放到前十个要素。",
        ),
        Text(
            "Give the bounding box as a list of lists of four or six numbers.",
            "请给出外接矩形:由四个或六个数字组成的列表的列表。",
        ),
    ),
    "crs84-not-first": Kind(
        "warning",
        Text("The first CRS listed is {crs}, not CRS84.", "列出的第一个坐标系是 {crs},而非 CRS84。"),
        Text(
            "QGIS versions before 3.32 take the first for the layer's: features may lie in the wrong place.",
            "3.32 之前的 QGIS 以第一个为图层坐标系,要素位置可能错误。",
        ),
        Text("List CRS84 first.", "请将 CRS84 列在首位。"),
    ),
    "storage-crs-unlisted": Kind(
        "warning",
        Text("`storageCrs` ({crs}) is not in the list `crs`.", "`storageCrs`({crs})不在 `crs` 列表中。"),
        Text(
            "QGIS 3.44 asks for features in it, and may be refused.",
            "QGIS 3.44 会以该坐标系请求要素,可能被拒绝。",
        ),
        Text("List it in `crs`.", "请将其列入 `crs`。"),
    ),
    "no-item-count": Kind(
        "note",
        Text("The collection has no `itemCount`.", "集合没有 `itemCount`。"),
        Text("QGIS counts by a request of its own for each layer.", "QGIS 需要为每个图层另发请求计数。"),
        Text("Give `itemCount` in the collection.", "请在集合中给出 `itemCount`。"),
    ),
    "no-licence": Kind(
        "note",
        Text("The collection has no link `license`.", "集合没有 `license` 链接。"),
        Text("The layer's metadata in QGIS show no licence.", "QGIS 的图层元数据中没有许可。"),
        Text("Link the licence, with a title.", "请添加带标题的许可链接。"),
    ),
}

_CONFORMANCE: dict[str, Kind] = {
    "no-part2": Kind(
        "note",
        Text(
            "The class `ogcapi-features-2/1.0/conf/crs` is not declared.",
            "未声明 `ogcapi-features-2/1.0/conf/crs`。",
        ),
        Text(
            "The layer is always in longitude and latitude; no other CRS can be chosen in QGIS.",
            "图层始终为经纬度,QGIS 中不能选择其他坐标系。",
        ),
        Text("Offer Part 2 and declare it.", "请实现并声明第 2 部分。"),
    ),
    "no-cql2": Kind(
        "note",
        Text(
            "None of the classes for filters in CQL2 text is declared.",
            "未声明任何 CQL2 文本过滤的要求类。",
        ),
        _DOWNLOADS_ALL,
        Text(
            "Offer Part 3 with CQL2 text, and declare {missing}.",
            "请实现第 3 部分与 CQL2 文本,并声明 {missing}。",
        ),
    ),
    "cql2-gate": Kind(
        "warning",
        Text(
            "Filters are declared in part; QGIS also needs: {missing}.",
            "过滤只声明了一部分,QGIS 还需要:{missing}。",
        ),
        _DOWNLOADS_ALL,
        Text(
            "Declare these classes exactly so, if the service fulfils them.",
            "若服务满足这些要求类,请一字不差地声明。",
        ),
    ),
    "spatial-class-name": Kind(
        "note",
        Text(
            "Of the two names of the class for spatial filters only {declared} is declared.",
            "空间过滤要求类有两个名称,只声明了 {declared}。",
        ),
        Text(
            "QGIS 3.32 to 3.42 knows only `basic-spatial-operators`, the standard only `basic-spatial-functions`.",
            "QGIS 3.32 至 3.42 只认 `basic-spatial-operators`,标准中只有 `basic-spatial-functions`。",
        ),
        Text("Declare both.", "请同时声明两者。"),
    ),
    "no-schemas-class": Kind(
        "note",
        Text(
            "The class `ogcapi-features-5/1.0/conf/schemas` is not declared.",
            "未声明 `ogcapi-features-5/1.0/conf/schemas`。",
        ),
        Text(
            "QGIS guesses fields and geometry type from the first ten features.",
            "QGIS 根据前十个要素猜测字段与几何类型。",
        ),
        Text("Offer schemas, and declare the class under this name too.", "请提供字段定义,并以此名称声明。"),
    ),
}

_QUERYABLES: dict[str, Kind] = {
    "no-queryables": Kind(
        "failure",
        Text(
            "CQL2 is declared, but there are no queryables: {reason}",
            "声明了 CQL2,但没有 queryables:{reason}",
        ),
        _DOWNLOADS_ALL,
        Text("Answer at <collection>/queryables, where QGIS looks.", "请在 QGIS 所请求的 <集合>/queryables 响应。"),
    ),
    "queryables-absent": Kind(
        "note",
        Text("There are no queryables ({reason}).", "没有 queryables({reason})。"),
        Text("QGIS does not ask for them here, since CQL2 is not declared.", "未声明 CQL2,QGIS 在此不会请求。"),
        Text("Needed only together with filters.", "仅在提供过滤时需要。"),
    ),
    "queryables-empty": Kind(
        "warning",
        Text("The queryables name no property with a `type`.", "queryables 中没有带 `type` 的属性。"),
        _DOWNLOADS_ALL,
        Text("Give each property its `type`.", "请为每个属性给出 `type`。"),
    ),
    "geometry-not-ref": Kind(
        "warning",
        Text(
            "The geometry {name} in the queryables has no `$ref` to https://geojson.org/schema/…, or has a `type` too.",
            "queryables 中的几何 {name} 没有指向 https://geojson.org/schema/… 的 `$ref`,或同时带有 `type`。",
        ),
        Text(
            "QGIS does not recognise the geometry: spatial filters run locally, after downloading everything.",
            "QGIS 无法识别几何:空间过滤在下载全部要素后于本地进行。",
        ),
        Text(
            'Write it as {{"$ref": "https://geojson.org/schema/Geometry.json"}} without `type`.',
            '请写作 {{"$ref": "https://geojson.org/schema/Geometry.json"}},不带 `type`。',
        ),
    ),
    "dates-without-format": Kind(
        "warning",
        Text(
            "In the queryables these hold dates but have no `format`: {fields}.",
            "queryables 中以下字段是日期但没有 `format`:{fields}。",
        ),
        Text(
            "QGIS sends the dates of a filter as plain text.",
            "QGIS 会将过滤中的日期按普通文本发送。",
        ),
        Text("Add `format`: `date` or `date-time`.", "请添加 `format`:`date` 或 `date-time`。"),
    ),
}

_FIRST: dict[str, Kind] = {
    "no-features": Kind(
        "note",
        Text("The collection is empty.", "集合为空。"),
        Text("The layer in QGIS has no features, and its fields are unknown.", "QGIS 中的图层没有要素,字段未知。"),
        Text(
            "Check again with data: paging and filters could not be tried.", "请在有数据后再检查:分页与过滤无法验证。"
        ),
    ),
    "no-id": Kind(
        "warning",
        Text("Features have no `id` of their own.", "要素没有顶层 `id`。"),
        Text(
            "QGIS cannot tell them apart between requests: editing fails, and selections get lost.",
            "QGIS 无法在各次请求间识别要素:不能编辑,选择会丢失。",
        ),
        Text("Give each feature an `id` beside `properties`.", "请在 `properties` 之外给出每个要素的 `id`。"),
    ),
    "no-geometry": Kind(
        "note",
        Text("None of the first features has a geometry.", "前若干要素均没有几何。"),
        Text("QGIS may open the layer as a table without a map.", "QGIS 可能将图层作为无图形的表格打开。"),
        Text("Right for tables; else send features with a geometry first.", "表格属正常;否则请先返回有几何的要素。"),
    ),
    "mixed-geometries": Kind(
        "warning",
        Text("Geometries are mixed: {types}.", "几何类型混合:{types}。"),
        Text(
            "A layer of QGIS holds one kind of geometry: the others may not be drawn.",
            "QGIS 图层只容纳一种几何,其余可能无法绘制。",
        ),
        Text("Offer a collection for each kind.", "请按几何类型分别发布集合。"),
    ),
    "not-lonlat": Kind(
        "failure",
        Text(
            "Coordinates without `crs=` are not longitude, latitude: {coordinates}.",
            "未带 `crs=` 时坐标不是经度、纬度:{coordinates}。",
        ),
        Text("QGIS draws the features in the wrong place.", "QGIS 会将要素绘制在错误位置。"),
        Text("Answer in CRS84, longitude first, where no CRS is asked for.", "未请求坐标系时,请返回 CRS84(经度在前)。"),
    ),
}

_SCHEMA: dict[str, Kind] = {
    "schema-unlinked": Kind(
        "note",
        Text(
            "The collection has no link to its schema (rel http://www.opengis.net/def/rel/ogc/1.0/schema,"
            " type application/schema+json).",
            "集合没有字段定义链接(rel http://www.opengis.net/def/rel/ogc/1.0/schema,type application/schema+json)。",
        ),
        Text(
            "QGIS guesses fields and geometry type from the first ten features.",
            "QGIS 根据前十个要素猜测字段与几何类型。",
        ),
        Text("Offer the schema and link it.", "请提供字段定义并添加链接。"),
    ),
    "schema-empty": Kind(
        "failure",
        Text("The schema names no property with a `type`.", "字段定义中没有带 `type` 的属性。"),
        Text("The layer has no fields in QGIS 3.44 and later.", "QGIS 3.44 及以后的图层没有字段。"),
        Text("Describe each property with its `type`.", "请为每个属性给出 `type`。"),
    ),
    "schema-fields-missing": Kind(
        "warning",
        Text(
            "Features have properties that the schema does not name: {fields}.",
            "要素的以下属性未出现在字段定义中:{fields}。",
        ),
        Text("They are missing in QGIS 3.44 and later.", "QGIS 3.44 及以后不显示这些字段。"),
        Text("Name every property in the schema.", "请在字段定义中列出所有属性。"),
    ),
    "schema-no-geometry": Kind(
        "warning",
        Text(
            "The schema marks no `x-ogc-role: primary-geometry` with a format such as geometry-polygon.",
            "字段定义没有标明 `x-ogc-role: primary-geometry` 及格式(如 geometry-polygon)。",
        ),
        Text("QGIS guesses the geometry type from ten features.", "QGIS 根据十个要素猜测几何类型。"),
        Text("Mark the geometry.", "请标明几何字段。"),
    ),
    "schema-sequence": Kind(
        "warning",
        Text("Two properties have the same `x-ogc-propertySeq`.", "两个属性的 `x-ogc-propertySeq` 相同。"),
        Text(
            "QGIS logs a complaint and gives up the order of fields.",
            "QGIS 会记录警告,并放弃字段顺序。",
        ),
        Text("Number them 1, 2, 3 …", "请依次编号 1、2、3 …"),
    ),
}

_WRITES: dict[str, Kind] = {
    "options-refused": Kind(
        "note",
        Text(
            "OPTIONS on {url} says nothing of what is allowed ({status}).",
            "对 {url} 的 OPTIONS 未说明可用方法({status})。",
        ),
        Text("QGIS takes the layer for read-only.", "QGIS 视图层为只读。"),
        Text("Answer OPTIONS with `Allow`.", "请对 OPTIONS 返回 `Allow`。"),
    ),
    "edits-impossible": Kind(
        "note",
        Text("POST is not allowed on the items ({allow}).", "要素集合不允许 POST({allow})。"),
        Text("Editing is impossible in QGIS: the pencil is grey.", "QGIS 中无法编辑:铅笔图标为灰色。"),
        Text("Right for a service that is read-only.", "对只读服务属正常。"),
    ),
    "edits-hidden": Kind(
        "warning",
        Text(
            "Features may be changed one by one ({allow}), but none may be added.",
            "允许逐个修改要素({allow}),但不允许新增。",
        ),
        Text(
            "QGIS offers no editing at all: it looks further only where POST is allowed.",
            "QGIS 完全不提供编辑:只有允许 POST 时才会继续查询。",
        ),
        Text("Allow POST on the items as well.", "请同时允许在要素集合上 POST。"),
    ),
    "edits-partial": Kind(
        "warning",
        Text("A feature allows {allow}; {missing} is missing.", "单个要素允许 {allow},缺少 {missing}。"),
        Text(
            "Without PUT nothing can be changed in QGIS, without DELETE nothing be removed.",
            "没有 PUT,QGIS 无法修改要素;没有 DELETE,无法删除。",
        ),
        Text("Allow both.", "请同时允许两者。"),
    ),
    "no-patch": Kind(
        "note",
        Text("PATCH is not allowed on a feature.", "单个要素不允许 PATCH。"),
        Text(
            "QGIS sends the whole feature again for every small change: what somebody else has changed meanwhile is lost.",
            "QGIS 每次小改动都会重发整个要素,他人同时所做的修改会丢失。",
        ),
        Text("Offer PATCH with application/merge-patch+json.", "请提供 PATCH(application/merge-patch+json)。"),
    ),
}

_DATA: dict[str, Kind] = {
    "no-next": Kind(
        "failure",
        Text(
            "A page of {returned} of {matched} features has no link `next`.",
            "本页为 {matched} 个要素中的 {returned} 个,却没有 `next` 链接。",
        ),
        Text(
            "QGIS silently truncates the layer at {returned} features.",
            "QGIS 会在 {returned} 个要素处截断图层,且没有任何提示。",
        ),
        Text(
            "Add a link `next`, type application/geo+json, to every page but the last.",
            "除末页外,每页都应有 `next` 链接,type 为 application/geo+json。",
        ),
    ),
    "perhaps-no-next": Kind(
        "warning",
        Text(
            "A full page of {returned} features has neither `next` nor `numberMatched`.",
            "满页({returned} 个要素)既没有 `next` 也没有 `numberMatched`。",
        ),
        Text(
            "If there are more, QGIS silently truncates the layer here.",
            "若还有更多要素,QGIS 会在此截断且没有提示。",
        ),
        Text(
            "Add `next` to every page but the last, and `numberMatched` to all.",
            "除末页外请加 `next`,所有页加 `numberMatched`。",
        ),
    ),
    "empty-page": Kind(
        "failure",
        Text("A page in the middle is empty: {url}.", "中间页为空:{url}。"),
        Text("QGIS stops at an empty page: the rest is missing.", "QGIS 遇空页即停止,其余要素缺失。"),
        Text("Send features on every page that a `next` leads to.", "`next` 指向的每一页都应有要素。"),
    ),
    "next-loop": Kind(
        "failure",
        Text("`next` leads back to a page already read: {url}.", "`next` 指回已读过的页:{url}。"),
        Text("QGIS reads for ever.", "QGIS 会无休止地读取。"),
        Text("Move on with each `next`.", "请使每个 `next` 前进。"),
    ),
    "doubles": Kind(
        "failure",
        Text(
            "{count} features come twice across pages, for example {example}.",
            "{count} 个要素在各页中重复出现,例如 {example}。",
        ),
        Text(
            "In QGIS features are double, and others are missing.",
            "QGIS 中部分要素重复,另一些缺失。",
        ),
        Text("Sort by a unique key before paging.", "分页前请按唯一键排序。"),
    ),
    "next-loses-filter": Kind(
        "failure",
        Text(
            "The page after the first no longer keeps to {parameter}: {url}.",
            "第一页之后不再遵守 {parameter}:{url}。",
        ),
        Text(
            "From the second page on QGIS gets features that it did not ask for, or in another CRS.",
            "从第二页起,QGIS 会得到未请求的要素或其他坐标系的坐标。",
        ),
        Text("Keep all parameters in `next`.", "`next` 中须保留全部参数。"),
    ),
    "next-loses-parameter": Kind(
        "note",
        Text("`next` does not carry {parameter}: {url}.", "`next` 未携带 {parameter}:{url}。"),
        Text(
            "The pages read here were right all the same: perhaps it is kept in a token.",
            "本次读取的各页仍然正确,可能保存在令牌中。",
        ),
        Text("Keep all parameters in `next`, to be safe.", "为稳妥起见,`next` 中请保留全部参数。"),
    ),
    "next-type": Kind(
        "note",
        Text("The type of `next` is {type}.", "`next` 的类型为 {type}。"),
        Text("QGIS follows it for want of application/geo+json.", "没有 application/geo+json 时 QGIS 也会跟随。"),
        Text("Name application/geo+json.", "请使用 application/geo+json。"),
    ),
    "limit-exceeded": Kind(
        "warning",
        Text("{asked} features were asked for, {returned} came.", "请求 {asked} 个要素,返回了 {returned} 个。"),
        Text("Pages are larger than QGIS expects, up to the whole collection.", "页比 QGIS 预期的大,甚至是整个集合。"),
        Text("Heed `limit`.", "请遵守 `limit`。"),
    ),
    "page-too-large": Kind(
        "warning",
        Text(
            "A page of {size} features, as QGIS asks for it, is larger than {limit} MB.",
            "QGIS 所请求的每页 {size} 个要素超过 {limit} MB。",
        ),
        Text(
            "QGIS draws nothing until the whole page has come; memory may run out.",
            "整页到达前 QGIS 不会绘制任何内容,内存可能不足。",
        ),
        Text("Lower the maximum of `limit`, or simplify geometries.", "请降低 `limit` 上限,或简化几何。"),
    ),
    "no-gzip": Kind(
        "warning",
        Text(
            "A page of {kilobytes} kB came unpacked; gzip would make it {packed} kB.",
            "{kilobytes} kB 的页未压缩;gzip 后为 {packed} kB。",
        ),
        Text("Layers load slowly over thin lines.", "带宽较低时图层加载缓慢。"),
        Text("Turn on gzip for JSON.", "请对 JSON 启用 gzip。"),
    ),
    "field-types": Kind(
        "warning",
        Text(
            "The first ten features do not show the type of these fields: {fields}.",
            "前十个要素未能体现以下字段的类型:{fields}。",
        ),
        Text(
            "QGIS before 3.44 looks only at those ten: {becomes}.",
            "3.44 之前的 QGIS 只看这十个要素:{becomes}。",
        ),
        Text(
            "Send rows without gaps first, write decimals always as decimals, and offer the schema.",
            "请先返回没有空值的行,小数始终写作小数,并提供字段定义。",
        ),
    ),
    "bbox-ignored": Kind(
        "failure",
        Text(
            "A `bbox` brings features from outside of it, for example {example}.",
            "`bbox` 返回了范围外的要素,例如 {example}。",
        ),
        Text(
            "Layers restricted to the view load everything, again and again.",
            "限制为视图范围的图层会反复加载全部要素。",
        ),
        Text("Heed `bbox`.", "请遵守 `bbox`。"),
    ),
    "bbox-wrong": Kind(
        "failure",
        Text("A `bbox` around feature {example} does not bring it.", "以要素 {example} 为范围的 `bbox` 未返回该要素。"),
        Text("Features are missing in layers restricted to the view.", "限制为视图范围的图层缺少要素。"),
        Text("`bbox` is west, south, east, north in CRS84.", "`bbox` 为 CRS84 中的西、南、东、北。"),
    ),
    "bbox-axis": Kind(
        "failure",
        Text(
            "In {crs} the service takes `bbox` as east, north, although the CRS counts north first.",
            "在 {crs} 中,服务将 `bbox` 理解为先东后北,而该坐标系先北后东。",
        ),
        Text("QGIS swaps the axes as the CRS says: the map stays empty.", "QGIS 按坐标系规定交换坐标轴,地图为空。"),
        Text("Read `bbox` in the axis order of `bbox-crs`.", "请按 `bbox-crs` 的轴序解读 `bbox`。"),
    ),
    "bbox-crs-wrong": Kind(
        "failure",
        Text(
            "The same box in {crs} brings other features than in CRS84.",
            "同一范围在 {crs} 与 CRS84 中返回的要素不同。",
        ),
        Text("Features are missing in layers restricted to the view.", "限制为视图范围的图层缺少要素。"),
        Text("Transform `bbox` from `bbox-crs` to the data's CRS.", "请将 `bbox` 从 `bbox-crs` 转换到数据坐标系。"),
    ),
    "crs-refused": Kind(
        "failure",
        Text("{crs} is listed, but refused: {said}", "列出了 {crs},却被拒绝:{said}"),
        Text("A layer in this CRS stays empty.", "使用该坐标系的图层为空。"),
        Text("Offer what `crs` lists, or list it no more.", "请支持 `crs` 所列坐标系,否则不要列出。"),
    ),
    "crs-axis": Kind(
        "failure",
        Text(
            "In {crs} the coordinates come as east, north ({coordinates}), although the CRS counts north first.",
            "在 {crs} 中坐标为先东后北({coordinates}),而该坐标系先北后东。",
        ),
        Text("QGIS swaps them: the features lie in the wrong place.", "QGIS 会交换坐标,要素位置错误。"),
        Text("Write coordinates in the axis order of `crs`.", "请按 `crs` 的轴序输出坐标。"),
    ),
    "crs-place": Kind(
        "warning",
        Text(
            "In {crs} feature {example} lies {distance} away from where CRS84 has it.",
            "要素 {example} 在 {crs} 中的位置与 CRS84 相差 {distance}。",
        ),
        Text("The features lie in the wrong place.", "要素位置错误。"),
        Text("Look at how the service transforms.", "请检查服务的坐标转换。"),
    ),
    "two-dates": Kind(
        "note",
        Text("There is more than one field of dates: {fields}.", "有多个日期字段:{fields}。"),
        Text(
            "Where CQL2 is not used, QGIS turns a filter on any of them into `datetime=`, and does not check the"
            " result: filters on the wrong field give wrong rows.",
            "未使用 CQL2 时,QGIS 会把任一日期字段的过滤转成 `datetime=`,且不复核结果:针对其他字段的过滤会得到错误的行。",
        ),
        Text("Advise users of old versions to filter by the main date only.", "请提醒旧版本用户只按主日期字段过滤。"),
    ),
}

_COUNT: dict[str, Kind] = {
    "no-number-matched": Kind(
        "warning",
        Text("Answers have no `numberMatched`.", "响应没有 `numberMatched`。"),
        Text(
            "QGIS reads up to 1 000 features to guess the count; 3.22 shows 0.",
            "QGIS 最多读取 1 000 个要素来猜测数量;3.22 显示 0。",
        ),
        Text("Send `numberMatched` as an integer.", "请以整数给出 `numberMatched`。"),
    ),
    "counts-differ": Kind(
        "warning",
        Text(
            "`itemCount` is {count}, `numberMatched` {matched}.",
            "`itemCount` 为 {count},`numberMatched` 为 {matched}。",
        ),
        Text("The count beside the layer's name is wrong.", "图层名旁的数量有误。"),
        Text("Bring both up to date.", "请更新两者。"),
    ),
}

_FILTERS: dict[str, Kind] = {
    "filter-refused": Kind(
        "failure",
        Text("{sent} is refused: {said}", "{sent} 被拒绝:{said}"),
        Text(
            "The layer with this filter stays empty, and QGIS logs an error.",
            "使用该过滤的图层为空,QGIS 记录错误。",
        ),
        Text(
            "Accept it as QGIS writes it, or do not declare the class.",
            "请接受 QGIS 的写法,否则不要声明该要求类。",
        ),
    ),
    "filter-ignored": Kind(
        "failure",
        Text(
            "{sent} brings features that do not match, for example {example}.",
            "{sent} 返回了不匹配的要素,例如 {example}。",
        ),
        Text(
            "QGIS does not check the result: the map shows the wrong features.",
            "QGIS 不会复核结果,地图显示错误的要素。",
        ),
        Text("Heed the filter, or answer 400.", "请执行过滤,否则返回 400。"),
    ),
    "filter-misses": Kind(
        "failure",
        Text("{sent} does not bring feature {example}, which matches.", "{sent} 未返回匹配的要素 {example}。"),
        Text("Features are missing in QGIS.", "QGIS 中缺少要素。"),
        Text("Look at how the filter is evaluated.", "请检查过滤的执行方式。"),
    ),
}

KINDS: dict[str, Kind] = {
    **_ANY,
    **_LANDING,
    **_API,
    **_COLLECTION,
    **_CONFORMANCE,
    **_QUERYABLES,
    **_FIRST,
    **_SCHEMA,
    **_WRITES,
    **_DATA,
    **_COUNT,
    **_FILTERS,
}
