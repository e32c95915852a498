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
const OF_ANOTHER = /^(country|province|prefecture|city|district|county|town|village|owner|department)_|^(省|市|区|县|乡|镇|村|权利人|单位)/i;

/** A feature's name, or null. */
export function nameOf(properties) {
  const fields = new Map(Object.keys(properties ?? {}).map((key) => [key.toLowerCase(), key]));
  const key =
    COMMON.find((name) => usable(properties?.[fields.get(name)])) ??
    [...fields.keys()].find((name) => LIKE_A_NAME.test(name) && !OF_ANOTHER.test(name) && usable(properties[fields.get(name)]));
  return key ? String(properties[fields.get(key)]) : null;
}

const usable = (value) =>
  value != null && value !== "" && typeof value !== "object" && typeof value !== "boolean";
