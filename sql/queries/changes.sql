-- name: positions
-- How data sets stand: the release, the change within it, and the step of the generalised zooms.
select
    d.id,
    d.release,
    d.change,
    d.level_step
from chengtu.dataset as d
where d.id = any(%(ids)s)

-- name: read_log
-- How a data set stands, whether the log tells all since a mark, and the changes after it; nulls where there are none.
select
    d.release,
    d.change,
    (
        (d.log_release, d.log_change) > (%(release)s, %(change)s)
        or (d.release, d.change) < (%(release)s, %(change)s)
        or exists (
            select from chengtu.change_log as w
            where
                w.dataset = d.id and w.op = 'R'
                and (w.release, w.change, w.ordinal) > (%(release)s, %(change)s, %(ordinal)s)
        )
    ) as reset,
    coalesce(row_security_active(to_regclass('data.' || quote_ident(d.id))), false) as guarded,
    l.release as log_release,
    l.change as log_change,
    l.ordinal,
    l.op,
    l.key,
    l.old_box,
    l.new_box,
    l.at
from chengtu.dataset as d
left join lateral (
    select one.*
    from chengtu.change_log as one
    where one.dataset = d.id and (one.release, one.change, one.ordinal) > (%(release)s, %(change)s, %(ordinal)s)
    order by one.release, one.change, one.ordinal
    limit %(rows)s
) as l on true
where d.id = %(id)s

-- name: level_changes
-- From which step on the generalised zooms' changes are known, the step now, and the changes after one.
select
    d.log_step,
    d.level_step,
    l.step,
    l.zoom,
    l.box
from chengtu.dataset as d
left join chengtu.level_change as l on l.dataset = d.id and l.step > %(since)s
where d.id = %(id)s
order by l.step

-- name: trim_log
-- Forget what changed long ago, and remember from where on the log is whole.
with gone as (
    delete from chengtu.change_log where at < now() - make_interval(days => %(days)s)
    returning dataset, release, change
),

floors as (
    select distinct on (gone.dataset)
        gone.dataset,
        gone.release,
        gone.change
    from gone
    order by gone.dataset asc, gone.release desc, gone.change desc
)

update chengtu.dataset as d set log_release = f.release, log_change = f.change
from floors as f
where d.id = f.dataset and (f.release, f.change) > (d.log_release, d.log_change)

-- name: trim_level_changes
-- The same of the generalised zooms.
with gone as (
    delete from chengtu.level_change where at < now() - make_interval(days => %(days)s)
    returning dataset, step
)

update chengtu.dataset as d set log_step = greatest(d.log_step, f.step)
from (select gone.dataset, max(gone.step) as step from gone group by gone.dataset) as f
where d.id = f.dataset

-- name: trim_alone
-- One at a time forgets what is old: true when it is us, until the transaction ends.
select pg_try_advisory_xact_lock(hashtextextended('chengtu trim', 0)) as ours

-- name: features_by_key
-- Features as they are now, each with its key as the change log has it.
select
    f.{key}::text as key,
    {feature} as feature
from {table} as f
where f.{key} = any(cast(%(keys)s as {key_type} []))
