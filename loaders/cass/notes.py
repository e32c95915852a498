"""What the report tells of a drawing: what it was taken for, what has no class, what is no feature, what was amiss."""

from collections import Counter
from collections.abc import Iterator

from core.language import Text
from loaders.cass.read import Reading
from loaders.layer import Note

_SHOWN = 12  # codes, or reasons, that a sentence lists


def notes_of(reading: Reading, reason: Text) -> tuple[Note, ...]:
    """All notes on a drawing that was read."""
    return (*_read(reading, reason), *_frame(reading), *_unmapped(reading), *_aside(reading))


def _read(reading: Reading, reason: Text) -> Iterator[Note]:
    aside = sum(reading.aside.values())
    text = Text(
        f"Read as a topographic map of CASS: {reason.en}. {reading.objects} objects: {reading.features} features, "
        f"{aside} kept aside.",
        f"按 CASS 地形图读取:{reason.zh}。共 {reading.objects} 个对象:{reading.features} 个要素,{aside} 个未入库。",
    )
    yield Note("cass", text)
    if reading.taken_apart:
        many = reading.taken_apart
        yield Note(
            "blocks-taken-apart",
            Text(f"Inserted maps that were taken apart into their objects: {many}.", f"已炸开含地物的图块 {many} 个。"),
        )
    if reading.by_layer:
        many = reading.by_layer
        yield Note(
            "class-by-layer",
            Text(
                f"Features without a feature code, which have the class of their layer: {many}.",
                f"{many} 个要素没有地物编码,按图层归类。",
            ),
        )
    if reading.flat_contours:
        many = reading.flat_contours
        yield Note("contours-flat", Text(f"Contours at height 0: {many}.", f"高程为 0 的等高线 {many} 条。"))
    if reading.slopes:
        many = reading.slopes
        text = Text(
            f"Features of flat themes whose heights change along them, stored without: {many}. Control points, relief "
            "and pipelines keep all heights.",
            f"{many} 个平面专题要素的高程沿线变化,入库时未保留;控制点、地貌与管线保留全部高程。",
        )
        yield Note("heights-left", text)


def _frame(reading: Reading) -> Iterator[Note]:
    frame = reading.frame
    if not frame.ended:
        text = Text(
            f"The file breaks off after line {frame.line}, before its EOF mark: the last object and whatever should "
            "follow is missing. Get a whole copy, unless this is all that is left.",
            f"文件在第 {frame.line} 行后中断,未到 EOF 标记:最后一个对象及其后内容缺失。如有完整文件,请重新获取。",
        )
        yield Note("drawing-cut", text)
    elif frame.left_open:
        text = Text(
            "A section of the drawing has no end mark; it was read all the same.", "图形有一节缺少结束标记,已照常读取。"
        )
        yield Note("drawing-frame", text)


def _unmapped(reading: Reading) -> Iterator[Note]:
    codes = Counter({f"{code} ({layer})": n for (code, layer), n in reading.unmapped.items() if code})
    bare = Counter({layer: n for (code, layer), n in reading.unmapped.items() if not code})
    if codes:
        text = Text(
            f"Feature codes that are not in the list, kept as unmapped: {_listed(codes)}. "
            "docs/topographic.md tells how to add them.",
            f"未收录的地物编码,按 unmapped 保留:{_listed(codes)}。添加方法见 docs/topographic.md。",
        )
        yield Note("codes-unmapped", text)
    if bare:
        text = Text(
            f"Objects without a feature code on layers that are none of CASS's, kept as unmapped: {_listed(bare)}.",
            f"无地物编码且图层非 CASS 图层的对象,按 unmapped 保留:{_listed(bare)}。",
        )
        yield Note("layers-unmapped", text)


def _aside(reading: Reading) -> Iterator[Note]:
    if not reading.aside:
        return
    found = reading.aside.most_common()
    en = "; ".join(f"{kind} {n}: {why.en}" for (kind, why), n in found[:_SHOWN])
    zh = ";".join(f"{kind} {n} 个:{why.zh}" for (kind, why), n in found[:_SHOWN])
    more = sum(n for _, n in found[_SHOWN:])
    text = Text(
        f"Kept aside: {en}" + (f"; others {more}." if more else "."),
        f"未入库:{zh}" + (f";其他 {more} 个。" if more else "。"),
    )
    yield Note("objects-aside", text)


def _listed(counts: Counter[str]) -> str:
    found = counts.most_common()
    more = sum(n for _, n in found[_SHOWN:])
    return ", ".join(f"{name} × {n}" for name, n in found[:_SHOWN]) + (f", … × {more}" if more else "")
