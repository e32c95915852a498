-- The lives of features: what a data set with history was on any day, and the amendments that change a release in place.

create schema if not exists history;

comment on schema history is
'One table a data set: versions of its features that hold no more, and those that an amendment which can be taken back replaced.';

alter table chengtu.dataset
add column if not exists history boolean not null default false,
add column if not exists state_of date,
add column if not exists history_from date,
add column if not exists amended bigint not null default 0;

comment on column chengtu.dataset.history is 'Whether versions that hold no more are kept, each with the days between which it held.';
comment on column chengtu.dataset.state_of is 'The day whose state is served, such as 2024-12-31; null where nobody has said.';
comment on column chengtu.dataset.history_from is 'The day of the first state that is known.';
comment on column chengtu.dataset.amended is 'How many of the changes within the release are those of amendments, and no edits.';

create table if not exists chengtu.amendment (
    id bigint generated always as identity primary key,
    dataset text not null references chengtu.dataset (id) on delete cascade,
    release bigint not null,
    kind text not null check (kind in ('increment', 'sheet')),
    label text not null,
    source text not null,
    digest text not null,
    day date not null,
    day_before date,
    applied_at timestamptz not null default now(),
    change_before bigint not null,
    change_after bigint not null,
    added bigint not null,
    removed bigint not null,
    changed bigint not null,
    report jsonb not null,
    undone_at timestamptz
);

comment on table chengtu.amendment is 'Each change of a release in place that came as a whole: the increment of a year, a sheet.';
comment on column chengtu.amendment.label is 'What it is of: the year, or the sheet.';
comment on column chengtu.amendment.digest is 'Of all that it closes and opens: by it, the same is known when it comes again.';
comment on column chengtu.amendment.day is 'From this day on, what it opened holds; on it, what it closed held no more.';
comment on column chengtu.amendment.day_before is 'What the data set was the state of before.';

create index if not exists amendment_dataset on chengtu.amendment (dataset, id);

create table if not exists chengtu.opened (
    amendment bigint not null references chengtu.amendment (id) on delete cascade,
    key text not null,
    digest bigint not null,
    primary key (amendment, key)
);

comment on table chengtu.opened is 'The features that an amendment wrote, as they were then: what has changed since is not taken back.';

create table if not exists chengtu.succession (
    dataset text not null references chengtu.dataset (id) on delete cascade,
    amendment bigint not null references chengtu.amendment (id) on delete cascade,
    day date not null,
    before text not null,
    after text not null,
    area double precision
);

comment on table chengtu.succession is 'Which feature became which, by the process table of an increment, and what area went over.';

create index if not exists succession_before on chengtu.succession (dataset, before);
create index if not exists succession_after on chengtu.succession (dataset, after);
create index if not exists succession_amendment on chengtu.succession (amendment);

-- The day that a feature written by hand holds from: it corrects the state that is served.
create or replace function chengtu.state_of(name text) returns date
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select coalesce(d.state_of, current_date) from chengtu.dataset as d where d.id = name
$$;

-- Makes the table of closed versions, or gives it the columns that have come since; those that have gone stay in it. Whoever
-- may read the features may read these, but where rows are guarded: their policies must be said of this table, too. What is
-- there already is not touched, since that would keep readers waiting.
create or replace function chengtu.keep_history(name text, key_column text) returns void
language plpgsql as $$
declare
    source constant regclass := format('data.%I', name);
    one record;
begin
    execute format(
        'create table if not exists history.%I (valid_from date, valid_to date, ct_amendment bigint)', name
    );
    for one in
        select a.attname, format_type(a.atttypid, a.atttypmod) as type
        from pg_attribute as a
        where
            a.attrelid = source and a.attnum > 0 and not a.attisdropped
            and not exists (
                select from pg_attribute as b
                where b.attrelid = format('history.%I', name)::regclass and b.attname = a.attname and not b.attisdropped
            )
    loop
        execute format('alter table history.%I add column %I %s', name, one.attname, one.type);
    end loop;
    if not exists (select from pg_index as i where i.indrelid = format('history.%I', name)::regclass) then
        execute format('create index on history.%I using gist (geom)', name);
        execute format('create index on history.%I (%I, valid_from)', name, key_column);
        execute format('create index on history.%I (valid_to)', name);
        execute format('create index on history.%I (ct_amendment)', name);
    end if;
    for one in
        select distinct case g.grantee when 0 then 'public' else g.grantee::regrole::text end as role
        from pg_class as c, lateral aclexplode(c.relacl) as g
        where c.oid = source and g.privilege_type = 'SELECT' and g.grantee <> c.relowner
    loop
        execute format('grant select on history.%I to %s', name, one.role);
    end loop;
    if
        (select c.relrowsecurity from pg_class as c where c.oid = source)
        and not (select c.relrowsecurity from pg_class as c where c.oid = format('history.%I', name)::regclass)
    then
        execute format('alter table history.%I enable row level security', name);
    end if;
end
$$;

comment on function chengtu.keep_history(text, text) is 'Makes room for the versions of a data set''s features that hold no more.';
