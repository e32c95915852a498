-- The change log: which features changed, and where, so that caches and clients need not read everything anew.

create table if not exists chengtu.change_log (
    dataset text not null,
    release bigint not null,
    change bigint not null,
    ordinal integer not null,
    op text not null check (op in ('I', 'U', 'D', 'R')),
    key text,
    old_box double precision[] check (cardinality(old_box) = 4),
    new_box double precision[] check (cardinality(new_box) = 4),
    at timestamptz not null default statement_timestamp()
);

comment on table chengtu.change_log is
'One row a feature that changed: within a release by the number of the change, and at change 0 by the release itself.';
comment on column chengtu.change_log.op is 'I inserted, U updated, D deleted; R: so much that the data set must be read anew.';
comment on column chengtu.change_log.key is 'The feature''s key as text.';
comment on column chengtu.change_log.old_box is
'West, south, east, north in degrees (CRS84) of where it was; null where that is nowhere.';
comment on column chengtu.change_log.new_box is 'The same of where it is now.';

-- Not unique: whoever sets the numbers back by hand must not find that nothing can be edited any more.
create index if not exists change_log_place on chengtu.change_log (dataset, release, change, ordinal);

-- What is before such a row has nothing to tell any more.
create index if not exists change_log_whole on chengtu.change_log (dataset, release, change, ordinal) where op = 'R';

create index if not exists change_log_at on chengtu.change_log (at);

create table if not exists chengtu.level_change (
    dataset text not null,
    step bigint not null,
    zoom smallint not null,
    box double precision[] check (cardinality(box) = 4),
    at timestamptz not null default statement_timestamp()
);

comment on table chengtu.level_change is 'Which areas of which generalised zoom changed, by the step that rebuilt them.';
comment on column chengtu.level_change.box is 'West, south, east, north in degrees (CRS84); null: everywhere.';

create index if not exists level_change_step on chengtu.level_change (dataset, step);

alter table chengtu.dataset
add column if not exists level_step bigint not null default 0,
add column if not exists log_release bigint not null default 0,
add column if not exists log_change bigint not null default 0,
add column if not exists log_step bigint not null default 0;

comment on column chengtu.dataset.level_step is 'How often generalised zooms were rebuilt, in whole or in part.';
comment on column chengtu.dataset.log_release is 'With log_change: the change log tells everything after this position.';
comment on column chengtu.dataset.log_change is 'See log_release.';
comment on column chengtu.dataset.log_step is 'chengtu.level_change tells everything after this step.';

create or replace function chengtu.tell_change() returns trigger
language plpgsql as $$
begin
    perform pg_notify('chengtu_changes', coalesce(new.id, old.id));
    return null;
end
$$;

-- Whoever listens reads the log, or forgets what it knew of a data set that is gone.
create or replace trigger tell_change after insert or delete or update of release, change, level_step on chengtu.dataset
for each row execute function chengtu.tell_change();
