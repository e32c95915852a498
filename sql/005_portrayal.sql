-- How a data set is drawn: what of its attributes goes into its tiles, and by which of them it is coloured and labelled.

alter table chengtu.dataset add column if not exists portrayal jsonb;

comment on column chengtu.dataset.portrayal is
'The attributes in its tiles, the one that it is coloured by with its values, and the one that names a feature; null: found by names alone.';
comment on column chengtu.dataset.style is 'A style of its own (MapLibre style, version 8, its layers alone); null: one is made from the portrayal.';
