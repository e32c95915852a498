/** Which attribute names a feature: by the reader's language first, then by custom. */
import { language } from "./words.js";

const OWN = language === "zh" ? ["name_zh", "name:zh", "名称"] : ["name_en", "name:en"];
const COMMON = [
  ...OWN,
  "name",
  "title",
  "label",
  "名称",
  "标题",
  "xzqmc",
  "dlmc",
  "mc",
  "name_zh",
  "name:zh",
  "name_en",
];
const LIKE_A_NAME = /(^|_)name$|名称?$|mc$/i;

/** A feature's name, or null. */
export function nameOf(properties) {
  const fields = new Map(Object.keys(properties ?? {}).map((key) => [key.toLowerCase(), key]));
  const key =
    COMMON.find((name) => usable(properties?.[fields.get(name)])) ??
    [...fields.keys()].find((name) => LIKE_A_NAME.test(name) && usable(properties[fields.get(name)]));
  return key ? String(properties[fields.get(key)]) : null;
}

const usable = (value) =>
  value != null && value !== "" && typeof value !== "object" && typeof value !== "boolean";
