-- How a data set is drawn: what of its attributes goes into its tiles, and by which of them it is coloured and labelled.

alter table chengtu.dataset add column if not exists portrayal jsonb;

comment on column chengtu.dataset.portrayal is
'What its tiles carry, and what colours and names it; null: found by the names of its attributes alone.';
comment on column chengtu.dataset.style is 'Its own MapLibre style: {"version": 8, "layers": [...]}; null: made from the portrayal.';
