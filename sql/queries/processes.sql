-- name: hold_dataset
-- Keep a data set as it is until the transaction ends: a release that comes waits, readers do not.
lock table {table} in access share mode
