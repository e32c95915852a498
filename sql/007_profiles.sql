-- What a data set is known to be: its profile, what its fields mean, and what the checks have found in its release.

alter table chengtu.dataset
add column if not exists profile text,
add column if not exists about_fields jsonb not null default '{}';

comment on column chengtu.dataset.profile is
'The layer of a standard product that it was recognised as, as profile/layer (land-survey/DLTB); null: nothing in particular.';
comment on column chengtu.dataset.about_fields is
'What is known of its fields: {"DLBM": {"title": {"en": ..., "zh": ...}, "codelist": "survey-classes", "unit": "m2"}}.';

create table if not exists chengtu.quality (
    dataset text primary key references chengtu.dataset (id) on delete cascade,
    release bigint not null,
    profile text not null,
    checked_at timestamptz not null default now(),
    rules jsonb not null
);

comment on table chengtu.quality is 'What the rules of its profile say of a release; its findings are the data set <dataset>_quality.';
comment on column chengtu.quality.rules is
'[{"id": ..., "severity": ..., "clause": ..., "title": ..., "count": ..., "accepted": ..., "unjudged": why not, or null}]';
