"""What can be found in any answer, and in what a service says of itself before the first feature."""

from core.language import Text
from server.contract.kinds import DOWNLOADS_ALL, Kind

_INVALID = Text(
    "QGIS stops here with an error: the layer is not added.",
    "QGIS 在此报错并停止:图层无法添加。",
)
_UNCHECKED = Text(
    "QGIS would follow it to that host. This check contacts no other host, so what lies there is unknown.",
    "QGIS 会访问该主机。本检查不访问其他主机,因此该处内容未知。",
)
_PUBLIC_URL = Text(
    "Set the service's public address, so that its links begin with the address that users type.",
    "请设置服务的公开地址,使链接以用户输入的地址开头。",
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
        Text(
            "Where QGIS cannot do without this answer, the layer is not added; else it goes on with less.",
            "若该响应不可或缺,图层无法添加;否则 QGIS 会缺少相应功能。",
        ),
        Text(
            "Open the address in a browser; the server's log may tell more.",
            "请在浏览器中打开该地址,服务器日志可能有更多信息。",
        ),
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
        DOWNLOADS_ALL,
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
        DOWNLOADS_ALL,
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

SERVICE_KINDS: dict[str, Kind] = {**_ANY, **_LANDING, **_API, **_COLLECTION, **_CONFORMANCE}
