-- name: without_case
-- A text with its case folded in full: ß is ss, ς is σ, whatever the database's own locale knows.
(translate(lower(upper(translate({text}, 'ẞ', 'ß') collate "und-x-icu")), 'ς', 'σ') collate "default")

-- name: without_accents
-- A text without the marks on its letters; those of kana, which make other syllables, stay.
normalize(
    translate(
        regexp_replace(
            normalize({text}, nfd), '[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]', '', 'g'
        ),
        'ØøĐđĦħŁłŦŧ',
        'OoDdHhLlTt'
    ),
    nfc
)

-- name: power_of
-- A number to the power of another; null where that is no real number, or none that a column could hold.
(
    select
        case
            when num_nulls(p.base, p.exponent) > 0 then null
            when p.exponent = 0 then 1
            when p.base = 0 and p.exponent > 0 then 0
            when not (abs(p.base) between 1e-300 and 1e300) then null
            when not (abs(p.exponent) between 1e-300 and 1e300) then null
            when p.base < 0 and p.exponent <> trunc(p.exponent) then null
            when not (p.exponent::double precision * ln(abs(p.base)::double precision) between -690 and 690) then null
            else power(p.base::double precision, p.exponent::double precision)::text::numeric
        end
    from (select {base} as base, {exponent} as exponent offset 0) as p -- offset 0: written out once, not nine times
)

-- name: strictly_between
-- Whether a value lies within a range; unknown if any of the three is, where SQL alone would see a bound that excludes it.
(
    select case when num_nulls(p.value, p.low, p.high) = 0 then p.value between p.low and p.high end
    from (select {value} as value, {low} as low, {high} as high offset 0) as p
)

-- name: same_elements
-- Whether two arrays have the same elements.
(select p.one @> p.other and p.one <@ p.other from (select {one} as one, {other} as other offset 0) as p)

-- name: union_of_collection
-- A geometry, and in place of a collection of overlapping ones what they cover together.
case when st_geometrytype({shape}) = 'ST_GeometryCollection' then st_unaryunion({shape}) else {shape} end
