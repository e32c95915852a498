"""Encodings: found out, believed, or overruled, and text that ends in half a character."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.errors import UnknownEncoding
from loaders.text import (
    Sample,
    decode,
    find_codec,
    in_utf8,
    require_codec,
    sample_bytes,
    sample_file,
    settle,
    transcode,
)

SIMPLIFIED = "吉林市船营区东关街道住宅用地商业服务业公园绿地宗地权利人不动产单元土地面积"
TRADITIONAL = "臺北市大安區信義路中正紀念堂住宅用地商業服務業公園綠地權利人單元土地面積"
HONG_KONG = "香港九龍彌敦道號樓層單位灣仔區軒尼詩道"


def codes(settled: object) -> list[str]:
    return [note.code for note in settled.notes]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("GBK", "gb18030"),
        ("936", "gb18030"),
        ("ANSI_936", "gb18030"),
        ("ANSI 936", "gb18030"),
        ("OEM 936", "gb18030"),
        ("gb2312", "gb18030"),
        ("UTF-8", "utf-8"),
        ("utf8", "utf-8"),
        ("65001", "utf-8"),
        ("Big5", "cp950"),
        ("950", "cp950"),
        ("ISO-8859-1", "iso8859-1"),
        ("ISO 88591", "iso8859-1"),
        ("88591", "iso8859-1"),
        ("windows-1252", "cp1252"),
        ("Shift_JIS", "shift_jis"),
    ],
)
def test_an_encoding_is_known_by_any_of_its_names(name: str, codec: str) -> None:
    assert find_codec(name) == codec


@pytest.mark.parametrize(
    "name", ["", "klingon", "rot13", "hex", "utf-7", "utf-16", "unicode_escape", "idna", "a\0b", "../x"]
)
def test_what_is_no_text_encoding_is_refused_with_examples(name: str) -> None:
    with pytest.raises(UnknownEncoding) as refused:
        require_codec(name)
    assert "GB18030" in refused.value.message("en")
    assert "不是文本编码" in refused.value.message("zh")


@given(st.text(st.sampled_from(SIMPLIFIED), min_size=6, max_size=40), st.sampled_from(["utf-8", "gb18030"]))
def test_simplified_chinese_is_found_in_utf8_and_gb18030(text: str, codec: str) -> None:
    assert settle(sample_bytes(text.encode(codec))).codec == codec


@given(st.text(st.sampled_from(TRADITIONAL), min_size=6, max_size=40), st.sampled_from(["utf-8", "cp950"]))
def test_traditional_chinese_is_found_in_utf8_and_big5(text: str, codec: str) -> None:
    assert settle(sample_bytes(text.encode(codec))).codec == codec


def test_traditional_characters_in_gbk_are_not_taken_for_big5() -> None:
    assert settle(sample_bytes(HONG_KONG.encode("gbk"))).codec == "gb18030"


def test_ascii_needs_no_guess_and_no_note() -> None:
    settled = settle(sample_bytes(b"id,name\n1,A\n"))
    assert (settled.codec, settled.notes) == ("utf-8", ())


def test_a_guess_from_two_characters_says_that_it_is_one() -> None:
    settled = settle(sample_bytes("住宅".encode("gbk")))
    assert settled.codec == "gb18030"
    assert settled.sample == ("住宅",)
    assert codes(settled) == ["encoding-doubtful"]


@pytest.mark.parametrize("text", ["12.5 m²", "126°33′12″", "Москва, улица Ленина", "naïve café"])
def test_short_utf8_that_is_also_valid_gbk_stays_utf8(text: str) -> None:
    assert settle(sample_bytes(text.encode())).codec == "utf-8"


def test_a_guess_from_a_whole_text_has_no_doubt() -> None:
    assert settle(sample_bytes(SIMPLIFIED.encode("gbk"))).notes == ()


@pytest.mark.parametrize(
    ("declared", "text", "codec"),
    [
        ("GBK", SIMPLIFIED, "gb18030"),
        ("Big5", TRADITIONAL, "cp950"),
        ("UTF-8", SIMPLIFIED, "utf-8"),
        ("GBK", HONG_KONG, "gb18030"),
        ("cp1252", "École supérieure, forêt, château", "cp1252"),
        ("cp932", "東京都港区赤坂", "cp932"),
    ],
)
def test_a_declaration_that_fits_is_believed(declared: str, text: str, codec: str) -> None:
    settled = settle(sample_bytes(text.encode(codec)), (declared, "x.cpg"))
    assert (settled.codec, settled.notes) == (codec, ())
    assert settled.reason.en == f"x.cpg says {declared}"


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        ("UTF-8", "gb18030"),
        ("cp1252", "gb18030"),
        ("ISO-8859-1", "utf-8"),
        ("GBK", "utf-8"),
        ("Big5", "gb18030"),
        ("klingon", "gb18030"),
    ],
)
def test_a_wrong_declaration_is_overruled_and_said_to_be(declared: str, written: str) -> None:
    settled = settle(sample_bytes(SIMPLIFIED.encode(written)), (declared, "x.cpg"))
    assert settled.codec == written
    assert "encoding-declared-wrong" in codes(settled)
    assert SIMPLIFIED[:10] in settled.sample[0]


def test_the_users_word_wins_and_is_doubted_aloud_if_it_does_not_fit() -> None:
    settled = settle(sample_bytes(SIMPLIFIED.encode("gbk")), ("GBK", "x.cpg"), "utf-8")
    assert settled.codec == "utf-8"
    assert codes(settled) == ["encoding-doubtful"]


def test_western_text_without_a_declaration_is_not_called_chinese() -> None:
    settled = settle(sample_bytes("École supérieure à Besançon, forêt, château".encode("cp1252")))
    assert settled.codec == "cp1252"
    assert codes(settled) == ["encoding-doubtful"]


@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "cp950"])
def test_a_value_cut_inside_a_character_loses_only_that(codec: str) -> None:
    assert decode("中文字".encode(codec)[:-1], codec) == "中文"


def test_a_value_wrong_in_the_middle_is_not_mended_in_silence() -> None:
    with pytest.raises(UnicodeDecodeError):
        decode(b"\xd6\xd0\xffabc", "gb18030")


def test_a_byte_order_mark_decides(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("名称\n中\n", "utf-16")
    settled = settle(sample_file(path))
    assert settled.codec == "utf-16"
    copy, notes = in_utf8(path, tmp_path / "b.csv", settled)
    assert (copy.read_text("utf-8"), notes) == ("名称\n中\n", ())


def test_characters_that_lie_across_blocks_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    text = "x" + "宗地" * 1_200_000  # 4.8 MB of GBK: every even offset is inside a character
    path.write_bytes(text.encode("gbk"))
    assert transcode(path, tmp_path / "b.txt", "gb18030") == 0
    assert (tmp_path / "b.txt").read_text("utf-8") == text
    assert sample_file(tmp_path / "b.txt").is_utf8
    assert not sample_file(path).is_utf8


def test_lost_characters_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"ok \xff and \xff")
    assert transcode(path, tmp_path / "b.txt", "gb18030") == 2


def test_one_bad_byte_at_the_end_of_a_large_file_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a" * 9_000_000 + b"\xd6")
    assert sample_file(path) == Sample((b"\xd6",), is_utf8=False)
