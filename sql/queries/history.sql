-- name: amended_dataset
-- What an amendment must know of a data set; its row is held until the transaction ends.
select
    d.release,
    d.key_column,
    d.change,
    d.history,
    d.state_of,
    d.history_from,
    d.fields,
    d.srid
from chengtu.dataset as d
where d.id = %(id)s
for no key update of d

-- name: amendment_patience
-- How long an amendment waits for those who edit, or for a release to be swapped in; and how rows are written as text, always.
select
    set_config('lock_timeout', %(milliseconds)s, true),
    set_config('timezone', 'UTC', true),
    set_config('datestyle', 'ISO', true),
    set_config('extra_float_digits', '1', true),
    set_config('bytea_output', 'hex', true)

-- name: hold_table
-- Keep out all who write, and none who read, until the transaction ends.
lock table {table} in share row exclusive mode

-- name: keep_history
-- Make room for versions that hold no more.
select chengtu.keep_history(%(id)s, %(key)s)

-- name: content_digest
-- A text that all that is opened and closed makes, in whatever order it comes.
select md5(concat(
    %(label)s::text,
    '|', %(day)s::date,
    '|', (select string_agg(md5(o::text), '' order by md5(o::text)) from (select {columns} from {opening} as s) as o),
    '|', (select string_agg(c.key::text, '|' order by c.key::text) from ({closing}) as c (key))
)) as digest

-- name: applied_already
-- The amendment with the same content, unless it was taken back; of a sheet only its newest one, since a sheet may return to what it was.
select
    a.id,
    a.applied_at,
    a.report
from chengtu.amendment as a
where
    a.dataset = %(id)s and a.digest = %(digest)s and a.undone_at is null
    and (a.kind <> 'sheet' or a.id = (
        select max(l.id) from chengtu.amendment as l where l.dataset = a.dataset and l.label = a.label and l.undone_at is null
    ))

-- name: find_steps
-- What is to be done with each feature: to be deleted, updated or inserted. One that stays as it is, is not among them.
create temporary table ct_step on commit drop as
select
    coalesce(old.key, new.key) as key,
    case
        when old.key is null then 'I'
        when new.key is null then 'D'
        else 'U'
    end as op
from (select t.{key} as key, {old_values} as content from {table} as t where t.{key} in (select cast(c.key as {key_type}) from ({closing}) as c (key))) as old
full join (select cast(s.{key} as {key_type}) as key, {new_values} as content from {opening} as s) as new on old.key = new.key
where old.key is null or new.key is null or old.content is distinct from new.content

-- name: count_steps
-- How many features are inserted, deleted and updated.
select
    count(*) filter (where s.op = 'I') as added,
    count(*) filter (where s.op = 'D') as removed,
    count(*) filter (where s.op = 'U') as changed
from ct_step as s

-- name: taken_keys
-- Features to be inserted whose key another has, which is not closed.
select
    count(*) as number,
    (array_agg(chengtu.key_text(s.key) order by s.key))[1:5] as examples
from ct_step as s
inner join {table} as t on s.key = t.{key}
where s.op = 'I'

-- name: close_rows
-- Put versions aside that hold no more from a day on; those of a data set without history have no days.
insert into {history} ({columns}, valid_from, valid_to, ct_amendment)
select
    {values},
    {valid_from},
    {valid_to},
    {amendment}
from {table} as t
inner join ct_step as s on t.{key} = s.key
where s.op in ('D', 'U')

-- name: step_delete
-- The features that are there no more.
delete from {table} as t using ct_step as s
where t.{key} = s.key and s.op = 'D'

-- name: step_update
-- The features that became others.
update {table} as t set {assignments}
from {source} as s, ct_step as o
where t.{key} = o.key and cast(s.{key} as {key_type}) = o.key and o.op = 'U' and {condition}

-- name: step_insert
-- The features that are new.
insert into {table} ({columns})
select {values}
from {source} as s
inner join ct_step as o on cast(s.{key} as {key_type}) = o.key
where o.op = 'I' and {condition}

-- name: record_amendment
-- Write an amendment down, before its rows are.
insert into chengtu.amendment (
    dataset, release, kind, label, source, digest, day, day_before, change_before, change_after, added, removed, changed, report
) values (
    %(dataset)s, %(release)s, %(kind)s, %(label)s, %(source)s, %(digest)s, %(day)s, %(day_before)s,
    %(change)s, %(change)s, %(added)s, %(removed)s, %(changed)s, %(report)s
)
returning id

-- name: record_opened
-- The features that it wrote, as they are now.
insert into chengtu.opened (amendment, key, digest)
select
    {amendment},
    t.{key}::text,
    hashtextextended(t::text, 0)
from {table} as t
inner join ct_step as s on t.{key} = s.key
where s.op in ('I', 'U')

-- name: record_succession
-- Which feature became which.
insert into chengtu.succession (dataset, amendment, day, before, after, area)
select
    {id},
    {amendment},
    {day},
    p.before::text,
    p.after::text,
    sum(p.area)
from ({pairs}) as p (before, after, area)
group by p.before, p.after

-- name: end_amendment
-- Write down up to which change it reaches, and what day the data set is the state of now.
with reached as (
    update chengtu.dataset as d set
        amended = d.amended + d.change - %(change)s,
        state_of = %(day)s,
        updated_at = now()
    where d.id = %(dataset)s
    returning d.change
)

update chengtu.amendment as a set change_after = r.change, undone_at = case when %(undone)s then now() end
from reached as r
where a.id = %(amendment)s

-- name: newest_amendment
-- The one that can be taken back: the last that was not.
select
    a.id,
    a.release,
    a.kind,
    a.label,
    a.day,
    a.day_before
from chengtu.amendment as a
where a.dataset = %(id)s and a.undone_at is null
order by a.id desc
limit 1

-- name: list_amendments
-- All amendments of a data set, the newest first.
select
    a.id,
    a.kind,
    a.label,
    a.source,
    a.day,
    a.applied_at,
    a.added,
    a.removed,
    a.changed,
    a.undone_at,
    a.report
from chengtu.amendment as a
where a.dataset = %(id)s
order by a.id desc

-- name: changed_since
-- Features that are not as an amendment left them: changed, deleted, or made again under a key that it closed.
select
    count(*) as number,
    (array_agg(c.key order by c.key))[1:5] as examples
from (
    select o.key
    from chengtu.opened as o
    left join {table} as t on cast(o.key as {key_type}) = t.{key}
    where o.amendment = {amendment} and (t.{key} is null or hashtextextended(t::text, 0) <> o.digest)
    union all
    select h.{key}::text
    from {history} as h
    inner join {table} as t on h.{key} = t.{key}
    where
        h.ct_amendment = {amendment}
        and not exists (select from chengtu.opened as o where o.amendment = {amendment} and o.key = h.{key}::text)
) as c

-- name: find_steps_back
-- What is to be done with each feature to take an amendment back.
create temporary table ct_step on commit drop as
select
    coalesce(h.key, o.key) as key,
    case
        when h.key is null then 'D'
        when o.key is null then 'I'
        else 'U'
    end as op
from (select t.{key} as key from {history} as t where t.ct_amendment = {amendment}) as h
full join (
    select cast(w.key as {key_type}) as key from chengtu.opened as w
    where w.amendment = {amendment}
) as o on h.key = o.key

-- name: forget_closed
-- The versions that an amendment put aside are served again.
delete from {history} where ct_amendment = {amendment}

-- name: forget_opened
-- What it wrote is there no more.
delete from chengtu.opened where amendment = %(amendment)s

-- name: forget_succession
-- Nor did anything become anything.
delete from chengtu.succession where amendment = %(amendment)s

-- name: common_start
-- The day that most features of a release hold from.
select t.valid_from as day
from {old} as t
group by t.valid_from
order by count(*) desc, t.valid_from
limit 1

-- name: add_lifetime
-- The days between which each feature holds; written nowhere yet, since most hold from the same day.
alter table {staging} add column valid_from date default {day}, add column valid_to date

-- name: begin_lives
-- What a release adds or changes holds from its day on.
update {staging} as s set valid_from = {day}
from {difference} as d
where s.{key} = d.key and d.op in ('I', 'U')

-- name: go_on_living
-- What stays as it was holds since it did.
update {staging} as s set valid_from = t.valid_from
from {old} as t
where
    s.{key} = t.{key} and t.valid_from <> {day}
    and not exists (select from {difference} as d where d.key = t.{key})

-- name: end_lives
-- Keep what a release removes or changes, which held until its day.
insert into {history} ({columns}, valid_from, valid_to)
select
    {values},
    t.valid_from,
    {day}
from {old} as t
inner join {difference} as d on t.{key} = d.key
where d.op in ('U', 'D') and t.valid_from < {day}

-- name: default_start
-- What is written by hand holds from the day whose state is served.
alter table {table} alter column valid_from set default chengtu.state_of({id})

-- name: settle_history
-- Which day a release is the state of, and since when its history is known.
update chengtu.dataset as d set
    history = %(history)s,
    state_of = %(day)s,
    history_from = case when %(history)s then least(d.history_from, %(day)s::date) end,
    updated_at = now()
where d.id = %(id)s and (d.history, d.state_of) is distinct from (%(history)s, %(day)s::date)

-- name: year_of
-- The latest year that features of a release say they are of.
select max(s.{year}) as year from {staging} as s

-- name: life_of
-- Whether a data set keeps history, and what day it is the state of.
select
    d.history,
    d.state_of
from chengtu.dataset as d
where d.id = %(id)s

-- name: forget_history
-- A data set without history keeps nothing of what was.
drop table if exists {history}

-- name: compared
-- What a release changes: how many features, and how much of their area.
select
    count(*) filter (where d.op = 'I') as added,
    sum({new_area}) filter (where d.op = 'I') as added_area,
    count(*) filter (where d.op = 'D') as removed,
    sum({old_area}) filter (where d.op = 'D') as removed_area,
    count(*) filter (where d.op = 'U' and old.geom is distinct from new.geom) as reshaped,
    sum({new_area}) filter (where d.op = 'U' and old.geom is distinct from new.geom) as reshaped_area,
    count(*) filter (where d.op = 'U' and {old_class} is distinct from {new_class}) as reclassified,
    sum({new_area}) filter (where d.op = 'U' and {old_class} is distinct from {new_class}) as reclassified_area,
    count(*) filter (where d.op = 'U' and old.geom is not distinct from new.geom and {old_class} is not distinct from {new_class})
        as otherwise,
    sum({new_area}) filter (where d.op = 'U' and old.geom is not distinct from new.geom and {old_class} is not distinct from {new_class})
        as otherwise_area
from {difference} as d
left join {old} as old on d.key = old.{key}
left join {staging} as new on d.key = new.{key}

-- name: compared_classes
-- From which class to which features of the same key went.
select
    {old_class}::text as before,
    {new_class}::text as after,
    count(*) as features,
    sum({new_area}) as area
from {difference} as d
inner join {old} as old on d.key = old.{key}
inner join {staging} as new on d.key = new.{key}
where d.op = 'U' and {old_class} is distinct from {new_class}
group by 1, 2
order by 1, 2

-- name: true_area
-- The area on the ellipsoid, in square metres.
st_area(st_transform({geometry}, {base})::geography)

-- name: all_versions
-- All versions of a data set's features, those that hold and those that hold no more, plainly: so the indexes of both serve.
-- Which of them are shown, `version_shown` says.
(
    select {columns}, t.ct_release, t.xmin as xmin, t.valid_from, t.valid_to
    from {table} as t
    union all
    select {columns}, t.ct_release, t.xmin as xmin, t.valid_from, t.valid_to
    from {history} as t
)

-- name: version_shown
-- Not what held on no day; and where rows are guarded, what holds no more only if it is guarded as well.
(
    {version}.valid_to is null
    or (
        {version}.valid_from < {version}.valid_to
        and (select not row_security_active({table}::text) or row_security_active({history}::text))
    )
)

-- name: held_between
-- Whether a version held on any day of two, or of those between them.
(
    f.valid_from <= coalesce(cast(%(last_day)s as date), 'infinity')
    and (f.valid_to is null or f.valid_to > coalesce(cast(%(first_day)s as date), '-infinity'))
)

-- name: began_on
-- The version that began on a day.
f.valid_from = cast(%(began)s as date)

-- name: life_page
-- Versions in the order of time, each as GeoJSON, with those that it came from and those that came from it.
select
    {feature} as feature,
    f.came_from,
    f.became,
    f.valid_from::text as began
from (
    select
        f.*,
        ({came_from})::text as came_from,
        ({became})::text as became
    from {source} as f
    where {conditions}
    order by f.valid_from, f.{key}
    limit {limit}
) as f
order by f.valid_from, f.{key}

-- name: came_from
-- The versions that ended where this one began, and handed area on to it or had its key.
select coalesce(json_agg(json_build_object('id', p.id, 'area', p.area) order by p.id::text), '[]')
from (
    select
        ({version})::json as id,
        s.area
    from chengtu.succession as s, {versions} as v
    where
        s.dataset = %(dataset)s and s.after = chengtu.key_text(f.{key}) and s.day = f.valid_from
        and v.{key} = cast(s.before as {key_type}) and v.valid_to = s.day and {shown}
    union all
    select
        ({version})::json as id,
        null as area
    from {versions} as v
    where
        v.{key} = f.{key} and v.valid_to = f.valid_from and {shown}
        and not exists (
            select from chengtu.succession as s
            where
                s.dataset = %(dataset)s and s.day = f.valid_from
                and s.before = chengtu.key_text(f.{key}) and s.after = chengtu.key_text(f.{key})
        )
) as p

-- name: became
-- The versions that began where this one ended, and took area over from it or had its key.
select coalesce(json_agg(json_build_object('id', n.id, 'area', n.area) order by n.id::text), '[]')
from (
    select
        ({version})::json as id,
        s.area
    from chengtu.succession as s, {versions} as v
    where
        s.dataset = %(dataset)s and s.before = chengtu.key_text(f.{key}) and s.day = f.valid_to
        and v.{key} = cast(s.after as {key_type}) and v.valid_from = s.day and {shown}
    union all
    select
        ({version})::json as id,
        null as area
    from {versions} as v
    where
        v.{key} = f.{key} and v.valid_from = f.valid_to and {shown}
        and not exists (
            select from chengtu.succession as s
            where
                s.dataset = %(dataset)s and s.day = f.valid_to
                and s.before = chengtu.key_text(f.{key}) and s.after = chengtu.key_text(f.{key})
        )
) as n

-- name: lineage
-- The versions of a feature, of what it came from, step by step, and of what became of it.
(
    with recursive before (key, day) as (
        select
            chengtu.key_text(cast(%(key)s as {key_type})),
            cast('infinity' as date)
        union
        select
            s.before,
            s.day
        from before as b
        inner join chengtu.succession as s on b.key = s.after and s.day < b.day
        where s.dataset = %(dataset)s
    ),

    after (key, day) as (
        select
            chengtu.key_text(cast(%(key)s as {key_type})),
            cast('-infinity' as date)
        union
        select
            s.after,
            s.day
        from after as a
        inner join chengtu.succession as s on a.key = s.before and s.day > a.day
        where s.dataset = %(dataset)s
    ),

    members (key, first_day, end_day) as (
        select
            b.key,
            cast('-infinity' as date),
            b.day
        from before as b
        union
        select
            a.key,
            a.day,
            cast('infinity' as date)
        from after as a
    )

    select distinct on (v.{key}, v.valid_from) v.*
    from members as m
    inner join {versions} as v on v.{key} = cast(m.key as {key_type})
    where v.valid_from >= m.first_day and v.valid_from < m.end_day
    order by v.{key}, v.valid_from
)

-- name: at_point
-- What lies, or lay, at a place.
st_intersects(f.geom, st_setsrid(st_makepoint(%(x)s, %(y)s), {srid}))
