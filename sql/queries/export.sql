-- name: holds_anything
-- Whether a data set has features in a tile or its buffer, however small they are there.
select exists(select from {table} as f where {fetch}) as found
