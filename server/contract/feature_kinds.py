"""What can be found in queryables, schema and features, and in the answers to filters."""

from core.language import Text
from server.contract.kinds import DOWNLOADS_ALL, Kind

_QUERYABLES: dict[str, Kind] = {
    "no-queryables": Kind(
        "failure",
        Text(
            "CQL2 is declared, but there are no queryables: {reason}",
            "声明了 CQL2,但没有 queryables:{reason}",
        ),
        DOWNLOADS_ALL,
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
        DOWNLOADS_ALL,
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
    "ids-shared": Kind(
        "failure",
        Text(
            "{count} ids stand for more than one feature, for example {example}.",
            "{count} 个 id 对应多个要素,例如 {example}。",
        ),
        Text(
            "QGIS takes features of the same id for one: most of the layer is missing.",
            "QGIS 会把 id 相同的要素视为同一个,图层大部分缺失。",
        ),
        Text("Give each feature an `id` of its own.", "请为每个要素给出唯一的 `id`。"),
    ),
    "ids-unstable": Kind(
        "failure",
        Text(
            "Id {example} means another feature when asked for by `bbox`.",
            "以 `bbox` 请求时,id {example} 指的是另一个要素。",
        ),
        Text(
            "QGIS knows features by their id: moving the map, it takes new ones for old, and they are missing.",
            "QGIS 以 id 识别要素:移动地图时会把新要素当作旧要素,造成缺失。",
        ),
        Text(
            "Use a key of the data as `id`, never the row's number in the answer.",
            "请以数据主键作为 `id`,不要使用结果中的行号。",
        ),
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

FEATURE_KINDS: dict[str, Kind] = {**_QUERYABLES, **_FIRST, **_SCHEMA, **_WRITES, **_DATA, **_COUNT, **_FILTERS}
