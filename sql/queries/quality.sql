-- name: datasets_of_profile
-- The data sets that are served as layers of a profile, in one CRS.
select d.id, d.profile, d.key_column
from chengtu.dataset as d
where d.profile like %(profile)s and d.srid = %(srid)s
order by d.id

-- name: number_rows
-- A number for each row, where nothing else tells rows apart.
alter table {staging} add column {number} bigint not null generated always as identity

-- name: found_ids
-- The keys of the features that each rule's findings concern.
select f.rule, (array_agg(distinct k.key order by k.key))[:%(most)s] as ids
from pg_temp.ct_findings as f cross join lateral (values (f.key), (f.other)) as k (key)
where f.layer = %(layer)s and k.key is not null
group by f.rule

-- name: fill_quality
-- The findings of a layer as rows of a data set.
insert into {staging} ({key}, rule, severity, clause, title_en, title_zh, feature, other, stated, measured, note_en, note_zh, geom)
select
    row_number() over (order by f.rule, f.key, f.other),
    f.rule, r.severity, r.clause, r.title ->> 'en', r.title ->> 'zh', f.key, f.other, f.stated, f.measured, f.note_en, f.note_zh,
    st_force2d(f.geom)
from pg_temp.ct_findings as f
inner join jsonb_to_recordset(%(rules)s) as r (id text, severity text, clause text, title jsonb) on f.rule = r.id
where f.layer = %(layer)s

-- name: record_quality
-- What the rules say of a data set's release.
insert into chengtu.quality (dataset, release, profile, rules) values (%(id)s, %(release)s, %(profile)s, %(rules)s)
on conflict (dataset) do update set
    release = excluded.release, profile = excluded.profile, rules = excluded.rules, checked_at = now()

-- name: findings_of
-- The data set that holds the findings of another.
select d.id from chengtu.quality as q inner join chengtu.dataset as d on d.id = q.dataset || '_quality' where q.dataset = %(id)s

-- name: forget_quality
-- A data set that has no rules any more.
delete from chengtu.quality where dataset = %(id)s

-- name: quality_of
-- What the rules say of a data set as it was loaded, whether it was edited since, and whether its findings can be asked for.
select
    q.profile,
    q.checked_at,
    q.rules,
    q.release,
    d.release = q.release and d.change = 0 as current,
    exists (select from chengtu.dataset as f where f.id = d.id || '_quality') as has_findings
from chengtu.dataset as d
left join chengtu.quality as q on d.id = q.dataset
where d.id = %(id)s

-- name: ids_of_findings
-- The keys of the features that each rule's findings concern, the first of them.
select f.rule, (array_agg(distinct k.key order by k.key))[:%(most)s] as ids
from {findings} as f cross join lateral (values (f.feature), (f.other)) as k (key)
where k.key is not null
group by f.rule
