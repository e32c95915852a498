-- name: cluster_make_role
-- Makes the role that owns everything of ours, if it is not there.
do $$ begin
    if not exists (select from pg_roles where rolname = 'chengtu') then
        create role chengtu login;
    end if;
end $$;

-- name: cluster_has_database
-- Whether the private cluster's one database is there.
select 'chengtu' in (select datname from pg_database);

-- name: cluster_make_database
-- Makes the private cluster's one database.
create database chengtu owner chengtu;

-- name: cluster_missing_extensions
-- Which of the extensions that we use could be made in this database and are not.
select name from pg_available_extensions
where name in ('postgis', 'pg_trgm') and installed_version is null
order by name desc;
